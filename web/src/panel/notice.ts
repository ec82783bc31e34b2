// Two lines over the map: what is loading or failed (with "try again"), and what is worth knowing of the view.

import { byId, el } from '../dom.ts';
import { t } from '../i18n/index.ts';

type Say = () => string;
/** Weeks are written small inside a sentence; this one begins it. */
const begin = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface Press { label: Say; press: () => void }

export class Notices {
  private readonly line = byId('notice');
  private readonly hintLine = byId('hint');
  private current: { kind: string; say: Say; press?: Press } | null = null;
  private hinted: { say: Say; press?: Press } | null = null;
  private timer = 0;

  /** Shown only when loading lasts: a quick change needs no words. */
  loading(say: Say): void {
    clearTimeout(this.timer);
    this.current = null;
    this.timer = window.setTimeout(() => { this.current = { kind: 'wait', say }; this.redraw(); }, 300);
    this.redraw();
  }

  problem(say: Say, retry: () => void): void {
    clearTimeout(this.timer);
    this.current = { kind: 'bad', say, press: { label: () => t('notice.retry'), press: retry } };
    this.redraw();
  }

  clear(): void {
    clearTimeout(this.timer);
    this.current = null;
    this.redraw();
  }

  hint(say: Say | null, press?: Press): void {
    this.hinted = say ? { say, press } : null;
    this.redraw();
  }

  redraw(): void {
    const put = (node: HTMLElement, one: { say: Say; press?: Press } | null): void => {
      node.hidden = one === null;
      node.replaceChildren(...(one ? [el('span', {}, begin(one.say())), ...(one.press ? [el('button', { type: 'button', onclick: one.press.press }, one.press.label())] : [])] : []));
    };
    this.line.dataset.kind = this.current?.kind ?? '';
    put(this.line, this.current);
    put(this.hintLine, this.hinted);
  }
}
