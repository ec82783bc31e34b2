// What the page asks of the server, and how: same host, JSON, never longer than 8 seconds.

import type { Lang, Place } from './state.ts';
import { isWeek, type Week } from './week.ts';

export const TIMEOUT_MS = 8000;

export class Failed extends Error {
  constructor(readonly path: string, readonly status: number) {
    super(`${path}: ${status || 'no answer'}`);
  }
}

/** The tile address of a week, from a layer's TileJSON: on the own host (behind a proxy an answer may name another). */
export function tileAddress(template: string, week: Week, version: string, origin: string): string {
  const url = new URL(template.replaceAll('{', '%7B').replaceAll('}', '%7D'), origin);
  url.searchParams.set('datetime', week);
  if (version) url.searchParams.set('v', version);
  else url.searchParams.delete('v');
  return (origin + url.pathname + url.search).replaceAll('%7B', '{').replaceAll('%7D', '}');
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  // AbortSignal.any is younger than the phones we care for.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  signal?.addEventListener('abort', () => stop.abort(), { once: true });
  try {
    const answer = await fetch(path, { signal: stop.signal, headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Failed(path, answer.status);
    return (await answer.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw new DOMException('superseded', 'AbortError');
    if (error instanceof Failed) throw error;
    throw new Failed(path, 0);
  } finally {
    clearTimeout(timer);
  }
}

export interface CatalogEntry { name?: string; description?: string; kind?: string; content_type?: string; attribution?: string; title?: { vi?: string; en?: string } | string }
export interface Catalog { tiles: Record<string, CatalogEntry> }

export interface TileJson {
  tiles: string[];
  bounds?: [number, number, number, number];
  minzoom?: number;
  maxzoom?: number;
  tileSize?: number;
  tilesize?: number;
  attribution?: string;
  legend?: string;
  name?: string;
}

export interface Periods { collection: string; periods: Week[]; seen_share: (number | null)[]; versions?: string[]; latest: Week | null }

export interface LegendClass { value?: number; min?: number; max?: number; color: string; label: string }
export interface LegendStop { value: number; color: string }

/** The legend as the panels use it, whatever the style's kind. */
export interface Legend {
  title: string;
  unit: string;
  classes: LegendClass[];
  stops: LegendStop[];
  /** Values written below the ramp. */
  ticks: number[];
  /** Pixels not seen; with a colour when the tiles draw them. */
  notSeen: LegendClass | null;
  /** Words for pixels filled from an older look; empty when the layer has none. */
  older: string;
  /** True for classes and intervals, whose colours must never be mixed. */
  classed: boolean;
}

export interface PointLayer {
  collection: string;
  period: Week | null;
  value: number | null;
  unit?: string;
  class?: string | { label?: string; vi?: string; en?: string } | null;
  quality?: unknown;
  reason?: string;
  age_days?: number | null;
  n_clear?: number | null;
}
export interface PointAnswer { lon: number; lat: number; layers: PointLayer[] }
export interface Series { collection: string; unit?: string; values: { period: Week; value: number | null; n_clear?: number | null; age_days?: number | null }[] }

export const catalog = (): Promise<Catalog> => getJson('/catalog');

export const tileJson = (layer: string): Promise<TileJson> => getJson(`/${layer}`);

export async function periods(layer: string): Promise<Periods> {
  const answer = await getJson<Periods>(`/api/v1/periods/${layer}`);
  // Periods that are no weeks (a season, a year) have no place on the week strip.
  const keep = answer.periods.map((period, i) => ({ period, share: answer.seen_share?.[i] ?? null, version: answer.versions?.[i] ?? '' })).filter((one) => isWeek(one.period));
  return { ...answer, periods: keep.map((one) => one.period), seen_share: keep.map((one) => one.share), versions: keep.map((one) => one.version), latest: keep[keep.length - 1]?.period ?? null };
}

export const point = (place: Place, week: Week, lang: Lang, signal?: AbortSignal): Promise<PointAnswer> =>
  getJson(`/api/v1/point/${place.lon.toFixed(6)},${place.lat.toFixed(6)}?datetime=${week}&lang=${lang}`, signal);

export const series = (place: Place, layer: string, from: Week, to: Week, signal?: AbortSignal): Promise<Series> =>
  getJson(`/api/v1/point/${place.lon.toFixed(6)},${place.lat.toFixed(6)}/series?collection=${layer}&datetime=${from}/${to}`, signal);

/** Address of the server's picture of a style, box and week. */
export const picturePath = (style: string, box: number[], width: number, height: number, week: Week | null): string =>
  `/style/${style}/static/${box.map((v) => v.toFixed(6)).join(',')}/${width}x${height}.png${week ? `?datetime=${week}` : ''}`;

type Raw = Record<string, unknown>;
const text = (value: unknown, lang: Lang): string => {
  if (typeof value === 'string') return value;
  if (value && typeof value === 'object') return String((value as Raw)[lang] ?? (value as Raw).vi ?? (value as Raw).en ?? '');
  return '';
};
const list = (value: unknown): Raw[] => (Array.isArray(value) ? (value as Raw[]) : []);

/** `#2166ac` and 0.6 as a colour of CSS. */
function colourOf(one: Raw): string {
  const base = String(one.colour ?? one.color ?? '#00000000');
  const opacity = typeof one.opacity === 'number' ? one.opacity : 1;
  return opacity < 1 && /^#[0-9a-f]{6}$/i.test(base) ? base + Math.round(opacity * 255).toString(16).padStart(2, '0') : base;
}

/** Reads a legend answer: a ramp has `stops`; `entries` are its classes, with a `state` for what was not seen or is old. */
export function readLegend(raw: Raw, lang: Lang): Legend {
  const label = (one: Raw): string => text(one.title ?? one.label, lang);
  const entries = list(raw.entries ?? raw.classes);
  const numeric = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  const read = (one: Raw): LegendClass => ({ value: numeric(one.value), min: numeric(one.min), max: numeric(one.max), color: colourOf(one), label: label(one) });
  const unseen = entries.find((one) => one.state === 'not_seen');
  const older = entries.find((one) => one.state === 'older');
  return {
    title: text(raw.title, lang),
    unit: text(raw.unit_title, lang) || text(raw.unit, lang),
    classes: entries.filter((one) => one.state === undefined).map(read),
    stops: list(raw.stops).map((one) => ({ value: Number(one.value), color: colourOf(one) })),
    ticks: list(raw.ticks).map(Number),
    notSeen: unseen ? read(unseen) : null,
    older: older ? label(older) : '',
    classed: raw.kind !== 'ramp',
  };
}

export const legend = async (style: string, lang: Lang): Promise<Legend> =>
  readLegend(await getJson(`/api/v1/legends/${style}?lang=${lang}`), lang);
