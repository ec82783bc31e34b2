// Plays the weeks that have a look: a week stays until it is wholly shown, then a moment more. Stops at the newest
// week, on any touch, and when the tab is hidden; asks first on a metered line.

import { t } from './i18n/index.ts';
import type { Week } from './week.ts';

/** Shortest time a week stays. */
const STAY_MS = 700;

export interface PlayEvents { next: () => Week | null; first: () => Week | null; go: (week: Week) => void; changed: () => void }

export class Player {
  playing = false;
  private timer = 0;

  constructor(private readonly events: PlayEvents) {
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.stop(); });
  }

  toggle(): void {
    if (this.playing) {
      this.stop();
      return;
    }
    const line = (navigator as { connection?: { saveData?: boolean } }).connection;
    if (line?.saveData && !confirm(t('play.ask'))) return;
    this.playing = true;
    this.events.changed();
    // From the newest week play starts over.
    const week = this.events.next() ?? this.events.first();
    if (week) this.events.go(week);
  }

  stop(): void {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this.playing = false;
    this.events.changed();
  }

  /** Told when a week is wholly on the screen. */
  shown(): void {
    if (!this.playing) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const week = this.events.next();
      if (week && this.playing) this.events.go(week);
      else this.stop();
    }, STAY_MS);
  }
}
