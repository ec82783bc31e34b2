// The neighbouring weeks of what is seen, fetched quietly into the browser's cache while nothing else goes on. Never on
// a metered or slow line, never more than a screenful a week, and given up at the first touch.

import type { Size } from './camera.ts';
import type { Wanted } from './map/weeks.ts';
import type { Camera } from './state.ts';

const WAIT_MS = 1200;
/** Tiles of a week at most. */
const MOST = 24;

/** The tiles a camera shows of a layer, as addresses. */
export function tilesInView({ tiles, tileSize, minzoom, maxzoom, bounds }: Wanted, camera: Camera, size: Size): string[] {
  if (!tiles) return [];
  const z = Math.min(maxzoom, Math.max(minzoom, Math.round(camera.zoom + Math.log2(512 / tileSize))));
  const n = 2 ** z;
  const column = (lon: number): number => ((lon + 180) / 360) * n;
  const row = (lat: number): number => ((1 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / Math.PI) / 2) * n;
  const px = 512 * 2 ** camera.zoom / n;
  const [x, y] = [column(camera.lon), row(camera.lat)];
  const [dx, dy] = [size.width / 2 / px, size.height / 2 / px];
  const [w, s, e, north] = bounds;
  const out: string[] = [];
  for (let r = Math.floor(Math.max(y - dy, row(north))); r <= Math.min(y + dy, row(s)); r += 1) {
    for (let c = Math.floor(Math.max(x - dx, column(w))); c <= Math.min(x + dx, column(e)); c += 1) {
      out.push(tiles.replace('{z}', String(z)).replace('{x}', String(c)).replace('{y}', String(r)));
    }
  }
  return out.slice(0, MOST);
}

export class Preloader {
  private timer = 0;
  private run: AbortController | null = null;
  private done = '';

  /** Fetches the tiles of these weeks after a while in which nothing else was wanted. */
  want(weeks: Wanted[], camera: Camera, size: Size): void {
    const line = (navigator as { connection?: { saveData?: boolean; effectiveType?: string } }).connection;
    if (line?.saveData || /2g/.test(line?.effectiveType ?? '')) return;
    const addresses = weeks.flatMap((one) => tilesInView(one, camera, size));
    const key = addresses.join();
    if (key === this.done) return;
    this.stop();
    this.timer = window.setTimeout(() => {
      if (document.hidden) return;
      this.done = key;
      void this.fetch(addresses);
    }, WAIT_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.run?.abort();
    this.run = null;
  }

  private async fetch(addresses: string[]): Promise<void> {
    const run = new AbortController();
    this.run = run;
    for (const address of addresses) {
      if (run.signal.aborted) return;
      // one after the other: what a person asks for meanwhile comes first; asked for as the map asks (answers vary by Accept)
      await fetch(address, { headers: { Accept: 'image/webp,*/*' }, signal: run.signal, priority: 'low' } as RequestInit).then((answer) => answer.arrayBuffer()).catch(() => undefined);
    }
    document.body.dataset.preloaded = String(addresses.length);
  }
}
