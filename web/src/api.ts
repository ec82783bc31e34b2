// What the page asks of the server, and how: same host, JSON, never longer than 8 seconds.

import type { Lang, Place } from './state.ts';
import { isWeek, type Week } from './week.ts';

export const TIMEOUT_MS = 8000;

export class Failed extends Error {
  constructor(readonly path: string, readonly status: number) {
    super(`${path}: ${status || 'no answer'}`);
  }
}

/** The address under which this page sees the service, with a slash at its end; behind a proxy it may have a path. */
export const root = (): string => new URL('.', document.baseURI).href;

/** A tile address below the page's own root, whatever host and path the answer names. */
export function belowRoot(template: string, base: string): string {
  const url = new URL(template.replaceAll('{', '%7B').replaceAll('}', '%7D'), base);
  // layer, zoom, column and row are the last four parts, whatever stands before them
  const path = url.pathname.split('/').slice(-4).join('/');
  return (base + path + url.search).replaceAll('%7B', '{').replaceAll('%7D', '}');
}

/** The tile address of a week, from a layer's TileJSON. */
export function tileAddress(template: string, week: Week, version: string, base: string): string {
  const [path = '', query] = belowRoot(template, base).split('?');
  const params = new URLSearchParams(query);
  params.set('datetime', week);
  if (version) params.set('v', version);
  else params.delete('v');
  return `${path}?${params}`;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  // AbortSignal.any is younger than the phones we care for.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  signal?.addEventListener('abort', () => stop.abort(), { once: true });
  try {
    const answer = await fetch(root() + path, { signal: stop.signal, headers: { accept: 'application/json' } });
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
  vector_layers?: { id: string; fields?: Record<string, unknown> }[];
}

export interface Periods { collection: string; periods: Week[]; seen_share: (number | null)[]; versions?: string[]; latest: Week | null }

export interface LegendClass {
  value?: number; min?: number; max?: number; color: string; label: string;
  /** What the map draws over the colour: letters, or lines. */
  numeral?: string; mark?: string;
}
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
  notSeen: LegendClass[];
  /** True for classes and intervals, whose colours must never be mixed. */
  classed: boolean;
  /** True for levels: a zone is coloured by the one most of it has. */
  ordered: boolean;
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
  /** Of the flood layer: likelihood of water in per cent, and why there is no class (2 and 3: radar alone cannot tell). */
  likelihood?: number | null;
  exclusion?: number | null;
}
export interface PointAnswer { lon: number; lat: number; layers: PointLayer[] }
export interface Series { collection: string; unit?: string; values: { period: Week; value: number | null; n_clear?: number | null; age_days?: number | null; seen?: number }[] }

export const catalog = (): Promise<Catalog> => getJson('catalog');

export const tileJson = (layer: string): Promise<TileJson> => getJson(layer);

export async function periods(layer: string): Promise<Periods> {
  const answer = await getJson<Periods>(`api/v1/periods/${layer}`);
  // Periods that are no weeks (a season, a year) have no place on the week strip.
  const keep = answer.periods.map((period, i) => ({ period, share: answer.seen_share?.[i] ?? null, version: answer.versions?.[i] ?? '' })).filter((one) => isWeek(one.period));
  return { ...answer, periods: keep.map((one) => one.period), seen_share: keep.map((one) => one.share), versions: keep.map((one) => one.version), latest: keep[keep.length - 1]?.period ?? null };
}

export const point = (place: Place, week: Week, lang: Lang, signal?: AbortSignal): Promise<PointAnswer> =>
  getJson(`api/v1/point/${place.lon.toFixed(6)},${place.lat.toFixed(6)}?datetime=${week}&lang=${lang}`, signal);

export const series = (place: Place, layer: string, from: Week, to: Week, signal?: AbortSignal): Promise<Series> =>
  getJson(`api/v1/point/${place.lon.toFixed(6)},${place.lat.toFixed(6)}/series?collection=${layer}&datetime=${from}/${to}`, signal);

/** Address of the server's picture of a style, box and week. */
export const picturePath = (style: string, box: number[], width: number, height: number, week: Week | null): string =>
  `${root()}style/${style}/static/${box.map((v) => v.toFixed(6)).join(',')}/${width}x${height}.png${week ? `?datetime=${week}` : ''}`;

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

/** Reads a legend answer: a ramp has `stops`; `entries` are its classes, with a `state` for what was not seen. */
export function readLegend(raw: Raw, lang: Lang): Legend {
  const label = (one: Raw): string => text(one.title ?? one.label, lang);
  const entries = list(raw.entries ?? raw.classes);
  const numeric = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  const read = (one: Raw): LegendClass => ({ value: numeric(one.value), min: numeric(one.min), max: numeric(one.max), color: colourOf(one), label: label(one),
    ...(typeof one.numeral === 'string' ? { numeral: one.numeral } : {}), ...(typeof one.mark === 'string' ? { mark: one.mark } : {}) });
  return {
    title: text(raw.title, lang),
    unit: text(raw.unit_title, lang) || text(raw.unit, lang),
    classes: entries.filter((one) => one.state === undefined).map(read),
    stops: list(raw.stops).map((one) => ({ value: Number(one.value), color: colourOf(one) })),
    ticks: list(raw.ticks).map(Number),
    notSeen: entries.filter((one) => one.state === 'not_seen').map(read),
    classed: raw.kind !== 'ramp',
    ordered: raw.ordered === true,
  };
}

export const legend = async (style: string, lang: Lang): Promise<Legend> =>
  readLegend(await getJson(`api/v1/legends/${style}?lang=${lang}`), lang);

/** A kind with where its vector tiles are. */
export interface KindTiles extends Kind { tiles: string; minzoom: number; maxzoom: number; banks: boolean }

/** A layer of features: what can be asked for by code. */
export interface Kind { kind: string; shape: 'point' | 'line' | 'polygon'; count: number; bbox: [number, number, number, number] }
export interface Season { season: string; sowing: string | null; heading: string | null; harvest: string | null; lost?: string | null }
export interface ZoneFeature {
  bbox: [number, number, number, number] | null;
  geometry: unknown;
  properties: { kind: string; code: string; name: string | null; area_ha?: number; commune?: string | null; parent?: string | null; seasons?: Season[]; riverbank?: Riverbank } & Hotspot;
}
export interface Statistic { mean: number | null; seen: number; area_ha: number; unit?: string; share?: number | null; shares?: Record<string, number>; trust?: Trust | null }
/** How far to rely on a layer, and of the flood map how many looks voted and how likely water is, per cent. */
export interface Trust { level: string; words: Record<Lang, string>; looks?: number | null; likelihood?: number | null }
/** What became of the banks of a reach: a sentence, and its numbers with names and units. */
export interface Riverbank { change: string; sentence: Record<Lang, string>; rows: { title: Record<Lang, string>; value: Record<Lang, string> }[] }
export interface Near { property: string; value: number | null; unit: string; time: string; station: string; name: string; distance_km: number; age_h: number }
export interface ZoneWeek {
  period: Week;
  sentence: Record<Lang, string>;
  statistics: Record<string, Statistic>;
  water_share: number | null;
  sensors: Near[];
  inundation?: Inundation | null;
  crop: { season: string; title: Record<Lang, string>; weeks_since_sowing: number | null } | null;
  trust: Trust;
  fire?: FireWeek | null;
  station?: StationWeek | null;
}
/** What a station measured in the week: of a gauge its level, the alarm level it has reached (0: none) and its rise within a day. */
export interface StationWeek { level_m: number | null; time: string | null; alarm: number | null; alarm_levels: { bd1_m: number; bd2_m: number; bd3_m: number } | null; change_24h_m: number | null }
/** Levels of fire danger, I to V. */
export interface FireLevel { number: number; roman: string; title: Record<Lang, string> }
export interface FireDay { day: string; p: number | null; level: FireLevel | null; level_at_least: FireLevel | null; unknown: { title: Record<Lang, string> } | null; fwi: number | null }
export interface FireWeek {
  level: FireLevel | null;
  days: FireDay[];
  newest: FireDay | null;
  citation: Record<Lang, string> | null;
  sentence: Record<Lang, string> | null;
  change: { state: string; sentence: Record<Lang, string> | null } | null;
  hotspots: Record<string, number>;
}
/** What FIRMS and the layers say of a hot spot. */
export interface Hotspot { time?: string; satellite?: string; instrument?: string; confidence?: string; frp_mw?: number; scan_km?: number; track_km?: number; burning?: string; forest_m?: number; fire_first?: string; fire_last?: string; fire_count?: number; fire_frp_mw?: number }
/** Why a dyke compartment is under water in a week. */
export interface Inundation {
  class: string; number: number; title: Record<Lang, string>; reason: { id: string } & Record<Lang, string>; sure: boolean; alert: boolean;
  flooded_share: number | null; flooded_ha: number | null; connected_ha: number | null;
  first_wet: string | null; last_wet: string | null; days_under_water: number | null;
  gauge: { station: string; highest_m: number; alarm: number } | null;
}
/** The level of the next days at a gauge, or why nothing is said. */
export interface Forecast {
  station: string; unit: string; origin: string; newest: string | null;
  alarm_levels: { bd1_m: number; bd2_m: number; bd3_m: number } | null;
  method: Record<Lang, string>; reason: ({ id: string } & Record<Lang, string>) | null;
  values: { time: string; lead_h: number; value: number; error_m: number | null; alarm: number | null }[];
  errors: { lead_h: number; n: number; mae_m: number; persistence_mae_m: number }[];
}
export interface Hit { kind: string; code: string; name: string; commune: string | null; lon: number | null; lat: number | null; bbox?: [number, number, number, number] | null }
export interface Column { period: Week; fids: number[]; values: (number | null)[] }
export interface ZoneRef { kind: string; code: string }

export const zonePath = ({ kind, code }: ZoneRef): string => `${encodeURIComponent(kind)}/${encodeURIComponent(code)}`;

export const kinds = async (): Promise<Kind[]> => (await getJson<{ kinds: Kind[] }>('api/v1/zones')).kinds;

export const zone = (ref: ZoneRef, signal?: AbortSignal): Promise<ZoneFeature> => getJson(`api/v1/zones/${zonePath(ref)}`, signal);

export const zoneWeek = (ref: ZoneRef, week: Week, signal?: AbortSignal): Promise<ZoneWeek> =>
  getJson(`api/v1/zones/${zonePath(ref)}/week/${week}`, signal);

/** The course of a zone, as a series; of a class layer the share under the classes that count. */
export async function zoneSeries(ref: ZoneRef, layer: string, share: boolean, signal?: AbortSignal): Promise<Series> {
  const answer = await getJson<{ collection: string; unit?: string; values: (Statistic & { period: Week })[] }>(`api/v1/zones/${zonePath(ref)}/statistics?collection=${layer}`, signal);
  const value = (one: Statistic): number | null => (share ? (one.share ?? null) : one.mean);
  return { collection: answer.collection, unit: answer.unit, values: answer.values.map((one) => ({ period: one.period, value: value(one), seen: one.seen })) };
}

/** One number of a week for all zones in a box. */
export const column = (kind: string, layer: string, week: Week, statistic: string, box: number[], signal?: AbortSignal): Promise<Column> =>
  getJson(`api/v1/zones/${encodeURIComponent(kind)}/values?collection=${layer}&datetime=${week}&statistic=${statistic}&bbox=${box.join(',')}&codes=false`, signal);

/** The causes of a week as class numbers, to colour the compartments with. */
export const causes = (kind: string, week: Week): Promise<Column> =>
  getJson(`api/v1/zones/${encodeURIComponent(kind)}/inundation?datetime=${week}&compact=true`);

export const forecast = (station: string, week: Week, signal?: AbortSignal): Promise<Forecast> =>
  getJson(`api/v1/stations/${encodeURIComponent(station)}/forecast?datetime=${week}`, signal);

/** The hourly level of a gauge between two times. */
export const levels = (station: string, from: string, to: string, signal?: AbortSignal): Promise<{ unit: string; values: { start: string; mean: number }[] }> =>
  getJson(`api/v1/stations/${encodeURIComponent(station)}/series?property=water_level&step=hour&datetime=${encodeURIComponent(`${from}/${to}`)}`, signal);

export const search = (text: string, signal?: AbortSignal): Promise<Hit[]> => getJson(`api/v1/search?q=${encodeURIComponent(text)}&limit=12`, signal);
