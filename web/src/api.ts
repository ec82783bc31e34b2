// What the page asks of the server, and how: same host, JSON, never longer than 8 seconds.

import type { Lang, Place } from './state.ts';
import { isWeek, type Week } from './week.ts';

export const TIMEOUT_MS = 8000;

export class Failed extends Error {
  constructor(readonly path: string, readonly status: number) {
    super(`${path}: ${status || 'no answer'}`);
  }
}

/** Path on the own host: an address in an answer may name the host differently behind a proxy. */
export function ownPath(address: string): string {
  const url = new URL(address.replaceAll('{', '%7B').replaceAll('}', '%7D'), location.href);
  return (url.pathname + url.search).replaceAll('%7B', '{').replaceAll('%7D', '}');
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

export interface Periods { collection: string; periods: Week[]; seen_share: (number | null)[]; latest: Week | null }

export interface LegendClass { value?: number; color: string; label: string }
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

export const tileJson = (layer: string, week: Week | null, signal?: AbortSignal): Promise<TileJson> =>
  getJson(`/${layer}${week ? `?datetime=${week}` : ''}`, signal);

export async function periods(layer: string): Promise<Periods> {
  const answer = await getJson<Periods>(`/api/v1/periods/${layer}`);
  // Periods that are no weeks (a season, a year) have no place on the week strip.
  const keep = answer.periods.map((period, i) => ({ period, share: answer.seen_share?.[i] ?? null })).filter((one) => isWeek(one.period));
  return { ...answer, periods: keep.map((one) => one.period), seen_share: keep.map((one) => one.share), latest: keep[keep.length - 1]?.period ?? null };
}

export const point = (place: Place, week: Week | null, signal?: AbortSignal): Promise<PointAnswer> =>
  getJson(`/api/v1/point/${place.lon.toFixed(6)},${place.lat.toFixed(6)}${week ? `?datetime=${week}` : ''}`, signal);

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

/** Reads a legend answer: ramps carry `stops` (or `domain` and `colours` at equal distances), the others `classes`. */
export function readLegend(raw: Raw, lang: Lang): Legend {
  const label = (one: Raw): string => text(one.title ?? one.label ?? one.name, lang);
  const colour = (one: Raw): string => String(one.colour ?? one.color ?? 'transparent');
  const scheme = (raw.scheme as Raw | undefined) ?? raw;
  const classes = list(scheme.classes ?? scheme.entries);
  if (scheme.below && typeof scheme.below === 'object') classes.unshift(scheme.below as Raw);
  const unseen = classes.find((one) => one.not_seen === true);
  const read = (one: Raw): LegendClass => ({ value: one.value as number | undefined, color: colour(one), label: label(one) });
  const colours = Array.isArray(scheme.colours ?? scheme.colors) ? ((scheme.colours ?? scheme.colors) as string[]) : [];
  const domain = Array.isArray(scheme.domain) ? (scheme.domain as number[]) : [0, 1];
  const [low = 0, high = 1] = domain;
  const stops = list(scheme.stops ?? scheme.ramp).map((one) => (Array.isArray(one) ? { value: Number(one[0]), color: String(one[1]) } : { value: Number(one.value), color: colour(one) }));
  const note = (value: unknown): string => (value && typeof value === 'object' && 'title' in value ? label(value as Raw) : text(value, lang));
  return {
    title: text(raw.title ?? raw.name, lang),
    unit: text(raw.unit_title, lang) || text(raw.unit ?? raw.units, lang),
    classes: classes.filter((one) => one !== unseen && !/^(#[0-9a-f]{6}00|transparent)$/i.test(colour(one))).map(read),
    stops: stops.length ? stops : colours.map((color, i) => ({ value: low + ((high - low) * i) / Math.max(1, colours.length - 1), color })),
    ticks: Array.isArray(scheme.ticks) ? list(scheme.ticks).map((one) => Number(typeof one === 'object' ? one.value : one)) : [],
    notSeen: unseen ? read(unseen) : note(raw.not_seen) ? { color: '', label: note(raw.not_seen) } : null,
    older: note(raw.older),
    classed: classes.length > 0 && stops.length === 0 && colours.length === 0,
  };
}

export const legend = async (style: string, lang: Lang): Promise<Legend> =>
  readLegend(await getJson(`/api/v1/legends/${style}?lang=${lang}`), lang);
