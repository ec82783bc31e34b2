// One search field for codes, names, communes and coordinates; accents and dashes may be left out.

import * as api from '../api.ts';
import { byId, el } from '../dom.ts';
import { t } from '../i18n/index.ts';
import { kindName } from '../kinds.ts';

const WAIT_MS = 180;

export function watchSearch(choose: (hit: api.Hit) => void): void {
  const field = byId<HTMLInputElement>('q');
  const list = byId('hits');
  let timer = 0;
  let stop: AbortController | null = null;
  let hits: api.Hit[] = [];

  const close = (): void => { list.hidden = true; field.setAttribute('aria-expanded', 'false'); };
  const say = (text: string): void => { list.replaceChildren(el('p', { class: 'faint', role: 'status' }, text)); list.hidden = false; };
  const take = (hit: api.Hit): void => { close(); field.value = hit.code; field.blur(); choose(hit); };

  const draw = (): void => {
    list.replaceChildren(...hits.map((hit) => el('button', { type: 'button', role: 'option', 'data-kind': hit.kind, onclick: () => take(hit) },
      el('b', {}, hit.name), el('span', {}, [hit.kind === 'coordinates' ? t('search.place') : kindName(hit.kind), hit.name === hit.code ? null : hit.code, hit.commune].filter(Boolean).join(' · ')))));
    list.hidden = false;
    field.setAttribute('aria-expanded', 'true');
  };
  const ask = async (): Promise<void> => {
    const text = field.value.trim();
    stop?.abort();
    if (!text) { hits = []; close(); return; }
    const mine = new AbortController();
    stop = mine;
    try {
      const found = await api.search(text, mine.signal);
      if (mine.signal.aborted) return;
      hits = found;
      if (hits.length) draw();
      else say(t('search.none', { text }));
    } catch {
      if (!mine.signal.aborted) say(t('search.failed'));
    }
  };

  field.addEventListener('input', () => { clearTimeout(timer); timer = window.setTimeout(() => void ask(), WAIT_MS); });
  field.addEventListener('focus', () => { if (hits.length && field.value.trim()) draw(); });
  byId('search').addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    void ask().then(() => { if (hits[0]) take(hits[0]); });
  });
  byId('search').addEventListener('keydown', (event) => {
    const rows = [...list.querySelectorAll('button')];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === 'ArrowDown' && rows.length) rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === 'ArrowUp') { if (at <= 0) field.focus(); else rows[at - 1]?.focus(); }
    else if (event.key === 'Escape') { close(); field.blur(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener('pointerdown', (event) => { if (!byId('search').contains(event.target as Node)) close(); });
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.key !== '/' || event.ctrlKey || event.metaKey || target.matches('input:not([type=radio]):not([type=range]):not([type=checkbox]), textarea')) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
