// Keys of the page and their list. Off while somebody types, and where a control uses the key itself.

import { byId, el } from '../dom.ts';
import { t, type TextKey } from '../i18n/index.ts';
import { foldSheet } from './sheet.ts';

export interface KeyEvents {
  week: (by: 1 | -1, look: boolean) => void;
  play: () => void;
  layer: (index: number) => void;
  close: () => void;
}

const LIST: [string, TextKey][] = [['/', 'keys.search'], ['← →', 'keys.week'], ['[ ]', 'keys.look'], ['P', 'keys.play'], ['1 – 9', 'keys.layer'], ['Esc', 'keys.close'], ['?', 'keys.help']];

function help(): void {
  const dialog = byId<HTMLDialogElement>('keys');
  dialog.setAttribute('aria-label', t('keys.title'));
  dialog.replaceChildren(el('h2', {}, t('keys.title')), el('dl', {}, ...LIST.map(([key, text]) => el('div', {}, el('dt', {}, el('kbd', {}, key)), el('dd', {}, t(text))))),
    el('form', { method: 'dialog' }, el('button', {}, t('answer.close'))));
  if (!dialog.open) dialog.showModal();
}

export function watchKeys(events: KeyEvents): void {
  document.addEventListener('sen:keys', help);
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || byId<HTMLDialogElement>('keys').open) return;
    // Radio buttons, the slider and the canvas have arrows of their own.
    const arrows = target.matches('input, textarea, select, canvas');
    if (target.matches('input:not([type=radio]):not([type=range]):not([type=checkbox]), textarea, select')) return;
    const { key } = event;
    if (key === 'ArrowLeft' && !arrows) events.week(-1, false);
    else if (key === 'ArrowRight' && !arrows) events.week(1, false);
    else if (key === '[') events.week(-1, true);
    else if (key === ']') events.week(1, true);
    else if (key === 'p' || key === 'P') events.play();
    else if (/^[1-9]$/.test(key)) events.layer(Number(key) - 1);
    else if (key === '?') help();
    else if (key === 'Escape') { events.close(); foldSheet(); } else return;
    event.preventDefault();
  });
}
