// Layers of zones, stations and lines over the raster: vector tiles without a date, coloured by one column of week
// values through feature states, so that a change of week asks for numbers alone and nothing blinks.

import type { ExpressionSpecification, GeoJSONSource, Map as LiveMap, MapGeoJSONFeature, PointLike } from 'maplibre-gl';
import type { Column, KindTiles, Legend, ZoneFeature, ZoneRef } from '../api.ts';
import { BURNING, CHANGES, COMPARTMENTS, kindColour, PAINT_ZOOM, PAINTED, shareClass } from '../kinds.ts';
import { ZONES_BELOW } from './ground.ts';

const source = (kind: string): string => `zone-${kind}`;

/** Colour of a feature by its state `v`, as the legend has it; nothing where there is no value. */
export function paintOf(legend: Legend | null): ExpressionSpecification | string {
  const none = 'rgba(0,0,0,0)';
  if (!legend) return none;
  const value: ExpressionSpecification = ['to-number', ['feature-state', 'v'], -99];
  if (legend.ordered) {
    const levels = legend.classes.flatMap((one) => (one.value === undefined ? [] : [one.value, one.color]));
    return levels.length ? (['match', value, ...levels, none] as unknown as ExpressionSpecification) : none;
  }
  const stops: (number | string)[] = legend.classed
    ? [0, `${shareClass(legend)?.color.slice(0, 7) ?? '#2166ac'}00`, 1, shareClass(legend)?.color ?? '#2166ac']
    : legend.stops.flatMap((stop) => [stop.value, stop.color]);
  if (stops.length < 4) return none;
  const [low] = stops;
  // a ramp's one class is the colour of everything below it: open water
  const below = legend.classed ? undefined : legend.classes[0]?.color;
  const colour = ['interpolate', ['linear'], value, ...stops];
  return ['case', ['!=', ['typeof', ['feature-state', 'v']], 'number'], none, ...(below ? [['<', value, low], below] : []), colour] as unknown as ExpressionSpecification;
}

/** Hot spots by what burned. */
const BURNING_COLOUR = ['match', ['get', 'burning'], ...Object.entries(BURNING).flat(), BURNING.other] as unknown as ExpressionSpecification;

/** Colour of a compartment by its state `cause`, a class of the legend; nothing for classes it does not show. */
export function causeColour(legend: Legend): ExpressionSpecification | string {
  const none = 'rgba(0,0,0,0)';
  const pairs = legend.classes.filter((one) => one.value !== undefined).flatMap((one) => [one.value as number, one.color]);
  return pairs.length ? (['match', ['to-number', ['feature-state', 'cause'], -1], ...pairs, none] as unknown as ExpressionSpecification) : none;
}

/** Colour of a reach by what became of its banks, as the legend has it. */
export function bankColour(legend: Legend, otherwise: string): ExpressionSpecification | string {
  const pairs = Object.entries(CHANGES).flatMap(([change, number]) => {
    const colour = legend.classes.find((one) => one.value === number)?.color;
    return colour ? [change, colour] : [];
  });
  return pairs.length ? (['match', ['get', 'change'], ...pairs, otherwise] as unknown as ExpressionSpecification) : otherwise;
}

/** Areas below, hot spots over them (a coloured block must not hide what burns in it), lines over those, points on top. */
const height = ({ kind, shape }: KindTiles): number => (kind === 'hotspots' ? 1 : { polygon: 0, line: 2, point: 3 }[shape]);

export interface Found extends ZoneRef { name: string }

export class ZoneLayers {
  private on: KindTiles[] = [];
  private painted: { kind: string; fids: number[] } | null = null;

  constructor(private readonly map: LiveMap) {}

  /** Draws these kinds and no others. */
  show(kinds: KindTiles[]): void {
    for (const old of this.on) if (!kinds.some((one) => one.kind === old.kind)) this.remove(old.kind);
    // whatever was switched on first
    for (const one of [...kinds].sort((a, b) => height(a) - height(b) || b.count - a.count)) {
      if (!this.on.some((old) => old.kind === one.kind)) this.add(one);
    }
    this.on = kinds;
  }

  /** Hot spots of one week alone; all other kinds stand for all weeks. */
  setWeek(week: string | null): void {
    for (const end of ['fill', 'line']) {
      const id = `${source('hotspots')}-${end}`;
      if (this.map.getLayer(id)) this.map.setFilter(id, ['==', ['get', 'week'], week ?? '']);
    }
  }

  private add(added: KindTiles): void {
    const { kind, shape, bbox, tiles, minzoom, maxzoom } = added;
    const id = source(kind);
    const colour = kindColour(kind);
    const layer = { source: id, 'source-layer': kind };
    this.map.addSource(id, { type: 'vector', tiles: [tiles], minzoom: kind === 'plots' ? Math.max(11, minzoom) : minzoom, maxzoom, bounds: bbox });
    const over = this.on.filter((one) => height(one) > height(added)).sort((a, b) => height(a) - height(b));
    const before = over.flatMap((one) => ['fill', 'line', 'point'].map((end) => `${source(one.kind)}-${end}`)).find((one) => this.map.getLayer(one)) ?? ZONES_BELOW;
    if (kind === 'hotspots') {
      // a cell that was seen hot is small on a map of the province: its edge is drawn thick, its middle lets the ground through
      this.map.addLayer({ id: `${id}-fill`, type: 'fill', ...layer, filter: ['==', ['get', 'week'], ''], paint: { 'fill-color': BURNING_COLOUR, 'fill-opacity': 0.35 } }, before);
      this.map.addLayer({ id: `${id}-line`, type: 'line', ...layer, filter: ['==', ['get', 'week'], ''], paint: { 'line-color': BURNING_COLOUR, 'line-width': 3 } }, before);
    } else if (shape === 'polygon') {
      // drawn without colour it still answers to a tap
      this.map.addLayer({ id: `${id}-fill`, type: 'fill', ...layer, minzoom: PAINTED.includes(kind) ? PAINT_ZOOM : 0, paint: { 'fill-color': 'rgba(0,0,0,0)', 'fill-antialias': false } }, before);
      this.map.addLayer({ id: `${id}-line`, type: 'line', ...layer, minzoom: kind === 'plots' ? PAINT_ZOOM : 0,
        paint: { 'line-color': colour, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.6, 15, kind === 'plots' ? 1 : 2], 'line-opacity': 0.85 } }, before);
    } else if (shape === 'line') {
      this.map.addLayer({ id: `${id}-line`, type: 'line', ...layer, paint: { 'line-color': colour, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.8, 15, 3] } }, before);
    } else {
      this.map.addLayer({ id: `${id}-point`, type: 'circle', ...layer, paint: { 'circle-color': colour, 'circle-radius': ['interpolate', ['linear'], ['zoom'], 8, 4, 14, 8], 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1.5 } }, before);
    }
  }

  private remove(kind: string): void {
    const id = source(kind);
    if (this.painted?.kind === kind) this.painted = null;
    for (const end of ['fill', 'line', 'point']) if (this.map.getLayer(`${id}-${end}`)) this.map.removeLayer(`${id}-${end}`);
    if (this.map.getSource(id)) this.map.removeSource(id);
  }

  /** The kind that is coloured now: the first of the painted ones that is on. */
  get paintable(): string | null {
    if (this.map.getZoom() < PAINT_ZOOM) return null;
    return PAINTED.find((kind) => this.on.some((one) => one.kind === kind)) ?? null;
  }

  /** Colours a kind by a column; null takes the colours off. */
  paint(kind: string, column: Column | null, legend: Legend | null): void {
    const id = source(kind);
    if (!this.map.getSource(id)) return;
    this.map.removeFeatureState({ source: id, sourceLayer: kind });
    this.map.setPaintProperty(`${id}-fill`, 'fill-color', column ? paintOf(legend) : 'rgba(0,0,0,0)');
    column?.fids.forEach((fid, i) => {
      const value = column.values[i];
      if (value !== null && value !== undefined) this.map.setFeatureState({ source: id, sourceLayer: kind, id: fid }, { v: value });
    });
    this.painted = column ? { kind, fids: column.fids } : null;
  }

  /** True when compartments are drawn. */
  get hasCompartments(): boolean { return this.on.some((one) => one.kind === COMPARTMENTS); }

  /** Colours the compartments by why they are under water; null takes the colours off. */
  causes(column: Column | null, legend: Legend | null): void {
    const id = source(COMPARTMENTS);
    if (!this.map.getSource(id)) return;
    this.map.removeFeatureState({ source: id, sourceLayer: COMPARTMENTS });
    this.map.setPaintProperty(`${id}-fill`, 'fill-color', column && legend ? causeColour(legend) : 'rgba(0,0,0,0)');
    column?.fids.forEach((fid, i) => this.map.setFeatureState({ source: id, sourceLayer: COMPARTMENTS, id: fid }, { cause: column.values[i] ?? 0 }));
  }

  /** True when reaches of `sen erosion` are drawn. */
  get hasBanks(): boolean { return this.on.some((one) => one.banks); }

  /** Colours the reaches by erosion and accretion, their lines thick enough to see on a map of the province. */
  banks(legend: Legend): void {
    for (const { kind } of this.on.filter((one) => one.banks)) {
      const id = `${source(kind)}-line`;
      if (!this.map.getLayer(id)) continue;
      this.map.setPaintProperty(id, 'line-color', bankColour(legend, kindColour(kind)));
      this.map.setPaintProperty(id, 'line-width', ['interpolate', ['linear'], ['zoom'], 9, 3, 15, 6]);
    }
  }

  /** What lies under a finger, points first, then lines, then the smallest areas. */
  at(x: number, y: number): Found[] {
    const layers = this.on.flatMap((one) => ['point', 'line', 'fill'].map((end) => `${source(one.kind)}-${end}`)).filter((id) => this.map.getLayer(id));
    if (!layers.length) return [];
    const pad = 7;
    const box: [PointLike, PointLike] = [[x - pad, y - pad], [x + pad, y + pad]];
    const thin = this.map.queryRenderedFeatures(box, { layers: layers.filter((id) => /-point$/.test(id) || this.isLine(id)) });
    const areas = this.map.queryRenderedFeatures([x, y], { layers: layers.filter((id) => /-fill$/.test(id)) });
    const rank = new Map(this.on.map((one) => [source(one.kind), one.shape === 'point' ? -2 : one.shape === 'line' ? -1 : 1 / one.count]));
    const found = new Map<string, { one: Found; rank: number }>();
    for (const feature of [...thin, ...areas] as MapGeoJSONFeature[]) {
      const kind = feature.source.replace('zone-', '');
      const code = feature.properties.code as string | undefined;
      if (code === undefined) continue;
      found.set(`${kind} ${code}`, { one: { kind, code: String(code), name: String(feature.properties.name ?? code) }, rank: rank.get(feature.source) ?? 9 });
    }
    return [...found.values()].sort((a, b) => a.rank - b.rank).map(({ one }) => one).slice(0, 8);
  }

  private isLine(id: string): boolean {
    return this.on.some((one) => one.shape === 'line' && id === `${source(one.kind)}-line`);
  }

  /** Outlines the chosen zone. */
  mark(feature: ZoneFeature | null): void {
    const geometry = feature?.geometry ?? null;
    const data = geometry ? { type: 'Feature', properties: {}, geometry } : { type: 'FeatureCollection', features: [] };
    (this.map.getSource('zone-mark') as GeoJSONSource | undefined)?.setData(data as Parameters<GeoJSONSource['setData']>[0]);
  }
}
