// The bottom sheet of the phone: three stops, reached by its handle (tap, Enter, arrows) or by dragging it.

import { byId } from '../dom.ts';

const STOPS = ['peek', 'half', 'full'] as const;
type Stop = (typeof STOPS)[number];

const now = (): Stop => (byId('sheet').dataset.stop as Stop) ?? 'peek';

function put(stop: Stop): void {
  byId('sheet').dataset.stop = stop;
  byId('handle').setAttribute('aria-expanded', String(stop !== 'peek'));
}

/** Opens at half when folded, so that an answer is seen. */
export const openSheet = (): void => { if (now() === 'peek') put('half'); };
export const foldSheet = (): void => put('peek');

export function watchSheet(): void {
  const handle = byId('handle');
  const move = (by: number): void => put(STOPS[Math.min(2, Math.max(0, STOPS.indexOf(now()) + by))] as Stop);
  let from: number | null = null;
  let dragged = false;
  handle.addEventListener('click', () => {
    if (!dragged) put(STOPS[(STOPS.indexOf(now()) + 1) % 3] as Stop);
    dragged = false;
  });
  handle.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowUp') move(1);
    if (event.key === 'ArrowDown') move(-1);
    if (event.key.startsWith('Arrow')) { event.preventDefault(); event.stopPropagation(); }
  });
  handle.addEventListener('pointerdown', (event) => { from = event.clientY; dragged = false; handle.setPointerCapture(event.pointerId); });
  handle.addEventListener('pointerup', (event) => {
    if (from === null) return;
    const way = from - event.clientY;
    from = null;
    if (Math.abs(way) < 16) return;
    dragged = true;
    move(way > 0 ? (way > innerHeight / 3 ? 2 : 1) : way < -innerHeight / 3 ? -2 : -1);
    // A click follows a drag in some browsers only.
    setTimeout(() => { dragged = false; }, 50);
  });
}
