// The live map. This file and MapLibre are one chunk, fetched only when the first picture is on the screen.

import { Map as LiveMap, ScaleControl, setWorkerUrl, type GeoJSONSource } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { Column, KindTiles, Legend, ZoneFeature } from '../api.ts';
import type { Box, Padding } from '../camera.ts';
import { mapLocale, t } from '../i18n/index.ts';
import type { Camera, Place } from '../state.ts';
import { GROUND, ground, hatch } from './ground.ts';
import { WeekLayers, type Progress, type Wanted } from './weeks.ts';
import { ZoneLayers, type Found } from './zones.ts';

setWorkerUrl(workerUrl);

export interface Events {
  progress: (progress: Progress, key: string) => void;
  idle: () => void;
  moved: (camera: Camera) => void;
  tapped: (place: Place, found: Found[]) => void;
  touched: () => void;
}

export class Live {
  private readonly map: LiveMap;
  private readonly weeks: WeekLayers;
  private readonly zones: ZoneLayers;

  /** Resolves when the ground is drawn; rejects where WebGL2 is missing. */
  static open(container: HTMLElement, camera: Camera, area: Box, minZoom: number, theme: 'light' | 'dark', events: Events): Promise<Live> {
    return new Promise((resolve, reject) => {
      try {
        const live = new Live(container, camera, area, minZoom, theme, events);
        live.map.once('load', () => resolve(live));
      } catch (error) {
        reject(error as Error);
      }
    });
  }

  private constructor(container: HTMLElement, camera: Camera, area: Box, minZoom: number, theme: 'light' | 'dark', events: Events) {
    const [w, s, e, n] = area;
    const dx = (e - w) * 2.5;
    const dy = (n - s) * 2.5;
    const small = matchMedia('(max-width: 767px)').matches;
    this.map = new LiveMap({
      container,
      style: ground(area, GROUND[theme]),
      center: [camera.lon, camera.lat],
      zoom: camera.zoom,
      minZoom: Math.max(0, Math.min(minZoom, camera.zoom)),
      maxZoom: 17,
      maxBounds: [w - dx, Math.max(-85, s - dy), e + dx, Math.min(85, n + dy)],
      renderWorldCopies: false,
      pixelRatio: Math.min(2, devicePixelRatio || 1),
      maxTileCacheZoomLevels: small ? 2 : 4,
      fadeDuration: 0,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: mapLocale(),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.on('style.load', () => this.map.addImage('hatch', hatch(), { pixelRatio: 2 }));
    this.map.addControl(new ScaleControl({ unit: 'metric', maxWidth: 90 }), 'bottom-left');
    this.weeks = new WeekLayers(this.map, (progress, key) => {
      if (progress === 'shown') this.drawHatch();
      events.progress(progress, key);
    });
    this.zones = new ZoneLayers(this.map);
    this.map.on('idle', () => { this.drawHatch(); if (!this.weeks.busy) events.idle(); });
    this.map.on('dataloading', (event) => {
      // Tiles on the way are not "not seen": the hatch waits for them.
      if ((event as { tile?: unknown }).tile && this.weeks.filling) this.drawHatch();
    });
    this.map.on('moveend', (event) => {
      if ((event as { originalEvent?: unknown; own?: boolean }).own) return;
      events.moved(this.camera());
    });
    this.map.on('click', (event) => events.tapped({ lon: event.lngLat.lng, lat: event.lngLat.lat }, this.zones.at(event.point.x, event.point.y)));
    for (const name of ['mousedown', 'touchstart', 'wheel'] as const) this.map.on(name, () => events.touched());
    this.speak();
  }

  camera(): Camera {
    const { lng, lat } = this.map.getCenter();
    return { zoom: this.map.getZoom(), lat, lon: lng };
  }

  show(wanted: Wanted): void { this.weeks.show(wanted); }

  retry(wanted: Wanted): void { this.weeks.retry(wanted); }
  get shownKey(): string | null { return this.weeks.shownKey; }
  get busy(): boolean { return this.weeks.busy || !this.map.loaded(); }

  select(place: Place | null): void {
    (this.map.getSource('sel') as GeoJSONSource | undefined)?.setData(place
      ? { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [place.lon, place.lat] } }
      : { type: 'FeatureCollection', features: [] });
  }

  showKinds(kinds: KindTiles[]): void { this.zones.show(kinds); }

  /** Hot spots are those of the week. */
  setWeek(week: string | null): void { this.zones.setWeek(week); }

  /** The kind to colour at this zoom, and the box in view; null where none is. */
  get paintable(): { kind: string; box: Box } | null {
    const kind = this.zones.paintable;
    if (!kind) return null;
    const b = this.map.getBounds();
    return { kind, box: [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()] };
  }

  paint(kind: string, column: Column | null, legend: Legend | null): void { this.zones.paint(kind, column, legend); }

  get hasCompartments(): boolean { return this.zones.hasCompartments; }

  causes(column: Column | null, legend: Legend | null): void { this.zones.causes(column, legend); }

  get hasBanks(): boolean { return this.zones.hasBanks; }

  /** Reaches of rivers in the colours of their legend. */
  banks(legend: Legend): void { this.zones.banks(legend); }

  mark(feature: ZoneFeature | null): void { this.zones.mark(feature); }

  /** Goes where the box fills the part of the screen that no panel covers. */
  fly(box: Box, covered: Padding): void {
    const [w, s, e, n] = box;
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const fits = covered.left + covered.right + 80 < width && covered.top + covered.bottom + 80 < height;
    this.map.fitBounds([[w, s], [e, n]], { padding: fits ? covered : 20, maxZoom: 15.5, duration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 600 });
  }

  /** True when some of the box lies outside the part of the screen that no panel covers. */
  hides(box: Box, covered: Padding): boolean {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const a = this.map.project([box[0], box[3]]);
    const b = this.map.project([box[2], box[1]]);
    return a.x < covered.left || a.y < covered.top || b.x > width - covered.right || b.y > height - covered.bottom;
  }

  jump(camera: Camera): void {
    this.map.jumpTo({ center: [camera.lon, camera.lat], zoom: camera.zoom }, { own: true });
  }

  /** Moves the map when the place lies under a panel. */
  reveal(place: Place, covered: Padding): void {
    const { x, y } = this.map.project([place.lon, place.lat]);
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const dx = x > width - covered.right ? x - (width - covered.right) + 24 : x < covered.left ? x - covered.left - 24 : 0;
    const dy = y > height - covered.bottom ? y - (height - covered.bottom) + 24 : y < covered.top ? y - covered.top - 24 : 0;
    if (dx || dy) this.map.panBy([dx, dy], { duration: 250 });
  }

  zoom(by: 1 | -1): void { if (by > 0) this.map.zoomIn({ duration: 200 }); else this.map.zoomOut({ duration: 200 }); }

  theme(theme: 'light' | 'dark'): void {
    const colours = GROUND[theme];
    this.map.setPaintProperty('around', 'background-color', colours.around);
    this.map.setPaintProperty('area', 'fill-color', colours.area);
    this.map.setPaintProperty('area-line', 'line-color', colours.line);
    this.map.setPaintProperty('grid', 'line-color', colours.grid);
  }

  /** Says the canvas's name in the current language. */
  speak(): void { this.map.getCanvas().setAttribute('aria-label', t('map.Map.Title')); }

  private drawHatch(): void {
    const on = this.weeks.hatch && !this.weeks.filling;
    const now = this.map.getLayoutProperty('unseen', 'visibility') === 'visible';
    if (on !== now) this.map.setLayoutProperty('unseen', 'visibility', on ? 'visible' : 'none');
  }
}
