// The one State of the page and its form in the link: `#map=z/lat/lon&week=2026-W34&layer=ndvi&lang=vi&sel=lon,lat`, or
// `&sel=plots:DT-000001` where a zone is chosen, and `&show=plots,canals` where other layers are on than at first.
// What a panel shows follows from the State alone; panels change it through `Store.set`, never each other.

import type { ZoneRef } from './api.ts';
import { isWeek, type Week } from './week.ts';

export type Lang = 'vi' | 'en';
export interface Camera { zoom: number; lat: number; lon: number }
export interface Place { lon: number; lat: number }

export interface State {
  /** Null: the whole area. */
  map: Camera | null;
  /** Null: the newest week with data. */
  week: Week | null;
  /** A collection, or `collection.asset` where a layer beside its main one is drawn: `flood.likelihood`. */
  layer: string;
  lang: Lang;
  sel: Place | null;
  /** The chosen zone; then `sel` is null. */
  zone: ZoneRef | null;
  /** The layers of zones, stations and lines that are drawn. */
  show: string[];
}

export type Key = keyof State;

/** The collection of a layer. */
export const collectionOf = (layer: string): string => layer.split('.')[0] as string;
/** The asset that a layer draws instead of the collection's main one. */
export const assetOf = (layer: string): string | undefined => layer.split('.')[1];

export const START: State = { map: null, week: null, layer: 'ndvi', lang: 'vi', sel: null, zone: null, show: ['plots', 'stations'] };

const KIND = /^[a-z0-9][a-z0-9_.-]{0,63}$/i;

const number = (text: string | undefined, low: number, high: number): number | null => {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) && value >= low && value <= high ? value : null;
};

/** Reads a hash; what is missing or wrong keeps its starting value, so that any link opens. */
export function parseHash(hash: string, start: State = START): State {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const state: State = { ...start };
  const [z, lat, lon] = (params.get('map') ?? '').split('/');
  const zoom = number(z, 0, 22);
  const y = number(lat, -85, 85);
  const x = number(lon, -180, 180);
  if (zoom !== null && y !== null && x !== null) state.map = { zoom, lat: y, lon: x };
  const week = params.get('week');
  if (week && isWeek(week)) state.week = week;
  const layer = params.get('layer');
  if (layer && /^[a-z0-9][a-z0-9_-]{0,63}(\.[a-z0-9_]{1,32})?$/.test(layer)) state.layer = layer;
  const lang = params.get('lang');
  if (lang === 'vi' || lang === 'en') state.lang = lang;
  const show = params.get('show');
  if (show !== null) state.show = show.split(',').filter((one) => KIND.test(one)).slice(0, 40);
  const zone = /^([^:,]+):(.+)$/s.exec(params.get('sel') ?? '');
  if (zone?.[1] && zone[2] && KIND.test(zone[1]) && zone[2].length <= 200) state.zone = { kind: zone[1], code: zone[2] };
  const [sx, sy] = (params.get('sel') ?? '').split(',');
  const selLon = number(sx, -180, 180);
  const selLat = number(sy, -85, 85);
  if (selLon !== null && selLat !== null) state.sel = { lon: selLon, lat: selLat };
  return state;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const trim = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** Writes the hash; `parseHash` reads the same State back, to the digits kept. */
export function formatHash(state: State): string {
  const parts: string[] = [];
  if (state.map) parts.push(`map=${trim(state.map.zoom, 2)}/${trim(state.map.lat, 5)}/${trim(state.map.lon, 5)}`);
  if (state.week) parts.push(`week=${state.week}`);
  parts.push(`layer=${state.layer}`, `lang=${state.lang}`);
  if (state.sel) parts.push(`sel=${trim(state.sel.lon, 6)},${trim(state.sel.lat, 6)}`);
  else if (state.zone) parts.push(`sel=${state.zone.kind}:${encodeURIComponent(state.zone.code)}`);
  if (!same(state.show, START.show)) parts.push(`show=${state.show.join(',')}`);
  return `#${parts.join('&')}`;
}

/** The keys in which two states differ. */
export function difference(a: State, b: State): Set<Key> {
  return new Set((Object.keys(a) as Key[]).filter((key) => !same(a[key], b[key])));
}

export type Apply = (state: State, changed: Set<Key>) => void;

/** Holds the State, writes the link, and calls `apply` once for each change. */
export class Store {
  state: State;

  constructor(start: State, private readonly apply: Apply) {
    this.state = parseHash(location.hash, start);
    // The first entry of the history says all, so that Back to it restores all.
    history.replaceState(null, '', formatHash(this.state));
    addEventListener('popstate', () => this.take(parseHash(location.hash, { ...START, lang: this.state.lang })));
  }

  /** Changes the State. A choice makes a step for Back; a pan (`replace`) does not. */
  set(patch: Partial<State>, how: 'push' | 'replace' = 'push'): void {
    const next = { ...this.state, ...patch };
    const changed = difference(this.state, next);
    if (changed.size === 0) return;
    this.state = next;
    const hash = formatHash(next);
    if (hash !== location.hash) history[how === 'push' ? 'pushState' : 'replaceState'](null, '', hash);
    this.apply(next, changed);
  }

  private take(next: State): void {
    const changed = difference(this.state, next);
    this.state = next;
    if (changed.size > 0) this.apply(next, changed);
  }
}
