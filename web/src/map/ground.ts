// The ground under the data: drawn from nothing but the area's box, so that no outside host is asked.

import type { StyleSpecification } from 'maplibre-gl';
import type { Box } from '../camera.ts';

export interface GroundColours { around: string; area: string; line: string; grid: string }

export const GROUND: Record<'light' | 'dark', GroundColours> = {
  light: { around: '#e6eae4', area: '#f7f8f3', line: '#8fa69a', grid: '#d3dbd3' },
  dark: { around: '#16211f', area: '#22302c', line: '#5f7a70', grid: '#24332f' },
};

type Line = [number, number][];

/** Meridians and parallels around a box, with a step that gives about eight across it. */
export function graticule(box: Box, margin: number): { type: 'MultiLineString'; coordinates: Line[] } {
  const [w, s, e, n] = box;
  const step = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5].find((one) => one >= Math.max(e - w, n - s) / 8) ?? 10;
  const lines: Line[] = [];
  const dx = (e - w) * margin;
  const dy = (n - s) * margin;
  for (let x = Math.ceil((w - dx) / step) * step; x <= e + dx; x += step) lines.push([[x, s - dy], [x, n + dy]]);
  for (let y = Math.ceil((s - dy) / step) * step; y <= n + dy; y += step) lines.push([[w - dx, y], [e + dx, y]]);
  return { type: 'MultiLineString', coordinates: lines };
}

/** Where the rasters go: below the outline of the area. */
export const RASTERS_BELOW = 'area-line';
/** Where zones, lines and stations go: below the marks of what is chosen. */
export const ZONES_BELOW = 'zone-casing';

export function ground(box: Box, colours: GroundColours): StyleSpecification {
  const [w, s, e, n] = box;
  const ring: Line = [[w, s], [e, s], [e, n], [w, n], [w, s]];
  return {
    version: 8,
    sources: {
      area: { type: 'geojson', data: { type: 'Polygon', coordinates: [ring] } },
      grid: { type: 'geojson', data: graticule(box, 3) },
      'zone-mark': { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
      sel: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
    },
    layers: [
      { id: 'around', type: 'background', paint: { 'background-color': colours.around } },
      { id: 'grid', type: 'line', source: 'grid', paint: { 'line-color': colours.grid, 'line-width': 1 } },
      { id: 'area', type: 'fill', source: 'area', paint: { 'fill-color': colours.area, 'fill-antialias': false } },
      { id: 'unseen', type: 'fill', source: 'area', layout: { visibility: 'none' }, paint: { 'fill-pattern': 'hatch' } },
      { id: 'area-line', type: 'line', source: 'area', paint: { 'line-color': colours.line, 'line-width': 1.25 } },
      { id: 'zone-casing', type: 'line', source: 'zone-mark', paint: { 'line-color': '#ffffff', 'line-width': 6 } },
      { id: 'zone-line', type: 'line', source: 'zone-mark', paint: { 'line-color': '#b03a6f', 'line-width': 3 } },
      { id: 'zone-dot', type: 'circle', source: 'zone-mark', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 11, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#b03a6f', 'circle-stroke-width': 3 } },
      { id: 'sel-halo', type: 'circle', source: 'sel', paint: { 'circle-radius': 11, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 5 } },
      { id: 'sel-ring', type: 'circle', source: 'sel', paint: { 'circle-radius': 11, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#b03a6f', 'circle-stroke-width': 2.5 } },
    ],
  };
}

/** Light diagonal hatch on d9d9d9 at 60 %: "not seen". */
export function hatch(): ImageData {
  const size = 16;
  const image = new ImageData(size, size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const line = (x + y) % 8 < 2;
      image.data.set(line ? [255, 255, 255, 200] : [217, 217, 217, 153], (y * size + x) * 4);
    }
  }
  return image;
}
