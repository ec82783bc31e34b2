// The week line and the week strip: one bar a week, its height the share of the area seen, hatched without a look.

import { byId, el, icon } from '../dom.ts';
import { currentLang, days, percent, t, weekLabel } from '../i18n/index.ts';
import type { Weeks } from '../model.ts';
import { monday, weekNumber, type Week } from '../week.ts';

export interface TimeEvents { choose: (week: Week, how: 'push' | 'replace') => void; play: () => void }

/** What is said of how much was seen in a week. */
export const seenText = (weeks: Weeks, week: Week): string => {
  const share = weeks.seen(week);
  if (!weeks.has(week)) return t('week.unseen');
  return share === null ? '' : t('week.seen', { share: percent(share) });
};

export class TimePanel {
  private readonly root = byId('time');
  private weeks: Weeks | null = null;
  private week: Week | null = null;
  private drawn = '';
  private lastInput = 0;

  constructor(private readonly events: TimeEvents) {}

  /** Goes one week, or one look, back or forth. */
  step(by: 1 | -1, look: boolean): void {
    if (!this.weeks || !this.week) return;
    const next = look ? this.weeks.look(this.week, by) : this.weeks.step(this.week, by);
    if (next) this.events.choose(next, 'push');
  }

  draw(weeks: Weeks, week: Week | null, playing: boolean): void {
    this.weeks = weeks;
    this.week = week;
    const frame = `${currentLang()} ${weeks.first} ${weeks.last} ${weeks.looks.length} ${weeks.looks.map((one) => weeks.seen(one)).join()}`;
    if (frame !== this.drawn) this.build(weeks);
    this.drawn = frame;
    this.update(playing);
  }

  private button(name: 'left' | 'right' | 'leftLook' | 'rightLook' | 'play', id: string, label: string, press: () => void): HTMLButtonElement {
    return el('button', { type: 'button', id, class: 'icon', 'aria-label': label, title: label, onclick: press }, icon(name));
  }

  private build(weeks: Weeks): void {
    const count = weeks.all.length;
    const range = el('input', {
      type: 'range', id: 'range', min: 0, max: Math.max(0, count - 1), step: 1, 'aria-label': t('week.slider'),
      oninput: (event: Event) => {
        const now = Date.now();
        const chosen = weeks.all[Number((event.target as HTMLInputElement).value)];
        if (chosen) this.events.choose(chosen, now - this.lastInput > 1000 ? 'push' : 'replace');
        this.lastInput = now;
      },
    });
    const bars = weeks.all.map((one) => {
      const share = weeks.seen(one);
      const seen = weeks.has(one);
      return el('i', { class: seen ? 'seen' : 'unseen', 'data-week': one, style: `--h:${seen ? Math.round(18 + 82 * (share ?? 1)) : 100}%` });
    });
    let lastLabel = -99;
    const every = Math.ceil(36 / ((Math.min(innerWidth, 1440) - 40) / Math.max(1, count)));
    const months = weeks.all.map((one, i) => {
      const date = monday(one) as Date;
      const first = i === 0 || (monday(weeks.all[i - 1] as Week) as Date).getUTCMonth() !== date.getUTCMonth();
      if (!first || i - lastLabel < every || count - i < every) return null;
      lastLabel = i;
      const name = currentLang() === 'vi' ? `Th${date.getUTCMonth() + 1}` : date.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' });
      return el('span', { style: `left:${(i / count) * 100}%` }, name);
    });
    this.root.replaceChildren(
      el('div', { class: 'weekline' },
        this.button('leftLook', 'look-back', t('week.previousLook'), () => this.step(-1, true)),
        this.button('left', 'week-back', t('week.previous'), () => this.step(-1, false)),
        el('p', { id: 'week', 'aria-live': 'polite' }, el('b'), el('span')),
        this.button('right', 'week-on', t('week.next'), () => this.step(1, false)),
        this.button('rightLook', 'look-on', t('week.nextLook'), () => this.step(1, true))),
      el('div', { class: 'stripline' }, this.button('play', 'play', t('week.play'), () => this.events.play()), el('div', {}, el('div', { class: 'strip', style: `--n:${Math.max(1, count)}` }, el('div', { class: 'bars', 'aria-hidden': 'true' }, ...bars), range),
      el('div', { class: 'months', 'aria-hidden': 'true' }, ...months))),
      el('div', { id: 'mini', 'aria-hidden': 'true' }));
  }

  private update(playing: boolean): void {
    const { weeks, week } = this;
    if (!weeks) return;
    const label = byId('week');
    const [name, rest] = [label.firstElementChild as HTMLElement, label.lastElementChild as HTMLElement];
    if (!week) {
      name.textContent = t('notice.noData');
      rest.textContent = '';
    } else {
      const seen = seenText(weeks, week);
      name.textContent = t('week.name', { n: weekNumber(week) }) + (week === weeks.last ? ` · ${t('week.newest')}` : '');
      rest.textContent = [days(week), seen].filter(Boolean).join(' · ');
      const range = byId<HTMLInputElement>('range');
      range.value = String(weeks.all.indexOf(week));
      range.setAttribute('aria-valuetext', t('week.valuetext', { week: weekLabel(week), seen: seen || t('week.short', { n: weekNumber(week) }) }));
    }
    for (const bar of this.root.querySelectorAll<HTMLElement>('.bars i')) bar.classList.toggle('now', bar.dataset.week === week);
    const able = (id: string, on: unknown): void => { byId<HTMLButtonElement>(id).disabled = !on; };
    able('week-back', week && weeks.step(week, -1));
    able('week-on', week && weeks.step(week, 1));
    able('look-back', week && weeks.look(week, -1));
    able('look-on', week && weeks.look(week, 1));
    able('play', weeks.looks.length > 1);
    const play = byId('play');
    const text = t(playing ? 'week.stop' : 'week.play');
    play.replaceChildren(icon(playing ? 'stop' : 'play'));
    play.setAttribute('aria-label', text);
    play.setAttribute('aria-pressed', String(playing));
    play.title = text;
  }
}
