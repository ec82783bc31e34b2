// Light or dark for panels and ground; the colours of the data stay the same in both.

import { byId } from './dom.ts';

/** Reads a choice kept on this device; null where the browser keeps nothing. */
export function recall(name: string): string | null {
  try { return localStorage.getItem(`sen.${name}`); } catch { return null; }
}

/** Keeps a choice on this device, where the browser allows it. */
export function remember(name: string, value: string): void {
  try { localStorage.setItem(`sen.${name}`, value); } catch { /* a private window keeps nothing, and works all the same */ }
}

export type Theme = 'light' | 'dark';

export const theme = (): Theme => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light');

function put(next: Theme): void {
  document.documentElement.dataset.theme = next;
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', next === 'dark' ? '#16211f' : '#f7f8f3');
}

export function watchTheme(changed: (next: Theme) => void): void {
  const kept = recall('theme');
  put(kept === 'dark' || kept === 'light' ? kept : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  byId('theme').addEventListener('click', () => {
    const next: Theme = theme() === 'dark' ? 'light' : 'dark';
    remember('theme', next);
    put(next);
    changed(next);
  });
}
