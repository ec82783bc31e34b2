// The switch between layers: one at a time, native radio buttons.

import type { CatalogEntry, Kind } from '../api.ts';
import { byId, el } from '../dom.ts';
import { currentLang, t, type TextKey } from '../i18n/index.ts';
import { kindColour, kindName, PAINTED } from '../kinds.ts';
import { assetOf, collectionOf } from '../state.ts';

/** The order people look in; layers the page does not know follow in the catalogue's order. */
const ORDER = ['ndvi', 'evi', 'ndmi', 'nbr', 'mndwi', 'flood', 'flood_observed', 'fire_danger'];

/** Layers beside the main one of a collection, offered where it is chosen. */
const BESIDE: Record<string, string[]> = { flood: ['likelihood', 'exclusion', 'n_clear'] };

/** The layers of the catalogue that this page can show: weekly rasters. */
export function layersOf(tiles: Record<string, CatalogEntry>): string[] {
  const ids = Object.entries(tiles)
    .filter(([, entry]) => (entry.content_type ?? 'image/png').startsWith('image/') && entry.kind !== 'vector')
    .map(([id]) => id)
    .filter((id) => !/^(sentinel|landsat)-/.test(id));
  const rank = (id: string): number => (ORDER.includes(id) ? ORDER.indexOf(id) : ORDER.length);
  return ids.sort((a, b) => rank(a) - rank(b));
}

const KIND_ORDER = ['plots', 'growing_areas', 'dyke_compartments', 'aquaculture_sites', 'forest_blocks', 'hotspots', 'admin_units', 'stations', 'canals', 'riverbanks', 'pumps', 'sluices'];

const named = new Map<string, CatalogEntry>();

/** A layer's name in the current language, as the catalogue tells it. */
export function layerTitle(id: string): string {
  const asset = assetOf(id);
  if (asset) return t(`beside.${asset}` as TextKey);
  const entry = named.get(id);
  const title = typeof entry?.title === 'object' ? entry.title[currentLang()] : entry?.title;
  return title || entry?.name || id;
}

/** A layer's name inside a sentence: the letters alone (`NDVI`) when the title holds them. */
export function layerShort(id: string): string {
  const title = layerTitle(id);
  return title.includes(id.toUpperCase()) ? id.toUpperCase() : title;
}

export function drawLayers(tiles: Record<string, CatalogEntry>, chosen: string, choose: (layer: string) => void): void {
  for (const [id, entry] of Object.entries(tiles)) named.set(id, entry);
  const ids = layersOf(tiles).flatMap((id) => [id, ...(id === collectionOf(chosen) ? (BESIDE[id] ?? []).map((asset) => `${id}.${asset}`) : [])]);
  const root = byId('layers');
  root.replaceChildren(
    el('fieldset', {}, el('legend', {}, t('layers.title')), ...ids.map((id) =>
      el('label', { class: assetOf(id) ? 'beside' : '' },
        el('input', { type: 'radio', name: 'layer', value: id, checked: id === chosen, onchange: () => choose(id) }),
        el('span', { class: 'dot', 'data-layer': id }),
        el('span', {}, layerTitle(id))))));
  watch.observe(root);
  showChosen();
}

/** The list loses height when legend and kinds come or grow. */
const watch = new ResizeObserver(() => showChosen());

/** Where the list scrolls in itself, what is chosen is in sight, with some of what follows. */
function showChosen(): void {
  const root = byId('layers');
  const row = root.querySelector('label:has(:checked)')?.getBoundingClientRect();
  if (!row || root.scrollHeight <= root.clientHeight) return;
  const box = root.getBoundingClientRect();
  if (row.top < box.top || row.bottom > box.bottom - row.height) root.scrollTop += row.top - box.top - box.height / 3;
}

/** The switches of zones, stations and lines: any number at once. */
export function drawKinds(kinds: Kind[], shown: string[], change: (shown: string[]) => void): void {
  const root = byId('kinds');
  root.hidden = kinds.length === 0;
  const order = (one: Kind): number => (KIND_ORDER.includes(one.kind) ? KIND_ORDER.indexOf(one.kind) : KIND_ORDER.length);
  root.replaceChildren(el('fieldset', {}, el('legend', {}, t('zones.title')), ...[...kinds].sort((a, b) => order(a) - order(b)).map((one) =>
    el('label', {},
      el('input', { type: 'checkbox', value: one.kind, checked: shown.includes(one.kind), onchange: (event: Event) => {
        const on = (event.target as HTMLInputElement).checked;
        change(on ? [...shown, one.kind] : shown.filter((kind) => kind !== one.kind));
      } }),
      el('span', { class: `mark ${one.shape}`, style: `--c:${kindColour(one.kind)}` }),
      el('span', {}, kindName(one.kind), PAINTED.includes(one.kind) && el('small', {}, t('zones.painted')))))));
}
