// Change of week without flicker and without a mix: two raster sources, `obs-a` and `obs-b`. The next week loads at
// opacity 0 (a layer with `visibility: none` would call itself loaded at once); when all its tiles are there the two
// swap in one frame and the old source goes. A newer choice drops the pending one, which aborts its requests.

import type { Map as LiveMap, RasterTileSource } from 'maplibre-gl';
import type { Box } from '../camera.ts';
import { RASTERS_BELOW } from './ground.ts';

export interface Wanted {
  /** Names what is shown: `ndvi 2026-W34`. */
  key: string;
  /** Null: a week without a look. */
  tiles: string | null;
  tileSize: number;
  minzoom: number;
  maxzoom: number;
  bounds: Box;
  /** Classes are never mixed; measures may be smoothed when enlarged. */
  nearest: boolean;
  /** Whether what the tiles leave empty inside the area was not seen, and is hatched. */
  hatch: boolean;
}

export type Progress = 'loading' | 'slow' | 'shown' | 'failed' | 'partial';
type Slot = 'obs-a' | 'obs-b';
interface Entry { slot: Slot; wanted: Wanted; errors: number }

const SLOW_MS = 8000;

export class WeekLayers {
  private shown: Entry | null = null;
  private pending: Entry | null = null;
  private timer = 0;

  constructor(private readonly map: LiveMap, private readonly tell: (progress: Progress, key: string) => void) {
    map.on('error', (event) => this.onError((event as unknown as { sourceId?: string }).sourceId));
    map.on('render', () => this.look());
    map.on('sourcedata', () => this.look());
  }

  get shownKey(): string | null { return this.shown?.wanted.key ?? null; }
  get hatch(): boolean { return this.shown?.wanted.hatch ?? false; }
  get busy(): boolean { return this.pending !== null; }
  /** True while tiles of what is shown are still on the way (after a pan). */
  get filling(): boolean { return this.shown?.wanted.tiles != null && !this.map.isSourceLoaded(this.shown.slot); }

  show(wanted: Wanted, again = false): void {
    if (!again && this.pending?.wanted.key === wanted.key) return;
    this.drop(this.pending);
    this.pending = null;
    clearTimeout(this.timer);
    if (!again && this.shown?.wanted.key === wanted.key && this.shown.errors === 0) {
      this.tell('shown', wanted.key);
      return;
    }
    const slot: Slot = this.shown?.slot === 'obs-a' ? 'obs-b' : 'obs-a';
    const entry: Entry = { slot, wanted, errors: 0 };
    this.pending = entry;
    if (wanted.tiles) {
      this.map.addSource(slot, {
        type: 'raster', tiles: [wanted.tiles], tileSize: wanted.tileSize, minzoom: wanted.minzoom, maxzoom: wanted.maxzoom, bounds: wanted.bounds,
      });
      this.map.addLayer({
        id: slot,
        type: 'raster',
        source: slot,
        paint: { 'raster-opacity': 0, 'raster-opacity-transition': { duration: 0, delay: 0 }, 'raster-fade-duration': 0, resampling: wanted.nearest ? 'nearest' : 'linear' },
      }, RASTERS_BELOW);
    }
    this.tell('loading', wanted.key);
    this.timer = window.setTimeout(() => {
      if (this.pending === entry) {
        this.tell('slow', wanted.key);
        this.map.triggerRepaint();
      }
    }, SLOW_MS);
    this.map.triggerRepaint();
  }

  /** Loads what is shown, or what failed, anew. */
  retry(wanted: Wanted): void { this.show(wanted, true); }

  private onError(source: string | undefined): void {
    if (this.pending && source === this.pending.slot) this.pending.errors += 1;
    else if (this.shown && source === this.shown.slot) {
      this.shown.errors += 1;
      this.tell('partial', this.shown.wanted.key);
    }
  }

  private ready(entry: Entry): boolean {
    if (!entry.wanted.tiles) return true;
    const source = this.map.getSource(entry.slot) as RasterTileSource | undefined;
    return source !== undefined && this.map.style.tileManagers[entry.slot]?.used === true && this.map.isSourceLoaded(entry.slot);
  }

  private look(): void {
    const entry = this.pending;
    if (!entry || !this.ready(entry)) return;
    this.pending = null;
    clearTimeout(this.timer);
    if (entry.errors > 0) {
      // An errored tile counts as loaded in MapLibre; here it is a failure, and the old week stays.
      this.drop(entry);
      this.tell('failed', entry.wanted.key);
      return;
    }
    if (entry.wanted.tiles) this.map.setPaintProperty(entry.slot, 'raster-opacity', 1);
    this.drop(this.shown);
    this.shown = entry;
    this.tell('shown', entry.wanted.key);
  }

  private drop(entry: Entry | null): void {
    if (!entry) return;
    if (this.map.getLayer(entry.slot)) this.map.removeLayer(entry.slot);
    if (this.map.getSource(entry.slot)) this.map.removeSource(entry.slot);
  }
}
