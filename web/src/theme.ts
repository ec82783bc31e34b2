// Light or dark for panels and ground; the colours of the data stay the same in both.

import { byId } from './dom.ts';

export type Theme = 'light' | 'dark';

export const theme = (): Theme => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light');

function put(next: Theme): void {
  document.documentElement.dataset.theme = next;
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', next === 'dark' ? '#16211f' : '#f7f8f3');
}

export function watchTheme(changed: (next: Theme) => void): void {
  const kept = localStorage.getItem('sen.theme');
  put(kept === 'dark' || kept === 'light' ? kept : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  byId('theme').addEventListener('click', () => {
    const next: Theme = theme() === 'dark' ? 'light' : 'dark';
    localStorage.setItem('sen.theme', next);
    put(next);
    changed(next);
  });
}
