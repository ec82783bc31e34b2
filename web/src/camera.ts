// Web Mercator arithmetic of the view: the server's first picture and the live map must show the same box.

import type { Camera } from './state.ts';

export type Box = [west: number, south: number, east: number, north: number];
export interface Padding { left: number; right: number; top: number; bottom: number }
export interface Size { width: number; height: number }

/** Pixels of the world at zoom 0, as MapLibre counts. */
const WORLD_PX = 512;

const mercatorX = (lon: number): number => (lon + 180) / 360;
const mercatorY = (lat: number): number => (1 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / Math.PI) / 2;
const lonOf = (x: number): number => x * 360 - 180;
const latOf = (y: number): number => (360 / Math.PI) * Math.atan(Math.exp((1 - 2 * y) * Math.PI)) - 90;

/** The camera that shows a whole box inside the part of the screen which no panel covers. */
export function fit(box: Box, size: Size, padding: Padding): Camera {
  const [west, south, east, north] = box;
  const width = Math.max(80, size.width - padding.left - padding.right);
  const height = Math.max(80, size.height - padding.top - padding.bottom);
  const spanX = mercatorX(east) - mercatorX(west);
  const spanY = mercatorY(south) - mercatorY(north);
  const zoom = Math.min(Math.log2(width / (spanX * WORLD_PX)), Math.log2(height / (spanY * WORLD_PX)), 16);
  const world = WORLD_PX * 2 ** zoom;
  const x = (mercatorX(west) + mercatorX(east)) / 2 - (padding.left - padding.right) / 2 / world;
  const y = (mercatorY(south) + mercatorY(north)) / 2 - (padding.top - padding.bottom) / 2 / world;
  return { zoom, lon: lonOf(x), lat: latOf(y) };
}

/** The box a camera shows on a screen of this size. */
export function seenBox(camera: Camera, size: Size): Box {
  const world = WORLD_PX * 2 ** camera.zoom;
  const x = mercatorX(camera.lon);
  const y = mercatorY(camera.lat);
  const dx = size.width / 2 / world;
  const dy = size.height / 2 / world;
  return [lonOf(x - dx), latOf(y + dy), lonOf(x + dx), latOf(y - dy)];
}

/** The pixel of the screen that shows a place. */
export function pixelOf(camera: Camera, size: Size, lon: number, lat: number): { x: number; y: number } {
  const world = WORLD_PX * 2 ** camera.zoom;
  return {
    x: size.width / 2 + (mercatorX(lon) - mercatorX(camera.lon)) * world,
    y: size.height / 2 + (mercatorY(lat) - mercatorY(camera.lat)) * world,
  };
}

/** The place under a pixel of the screen. */
export function placeAt(camera: Camera, size: Size, px: number, py: number): { lon: number; lat: number } {
  const world = WORLD_PX * 2 ** camera.zoom;
  return {
    lon: lonOf(mercatorX(camera.lon) + (px - size.width / 2) / world),
    lat: latOf(mercatorY(camera.lat) + (py - size.height / 2) / world),
  };
}
