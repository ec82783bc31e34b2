// The switch between layers: one at a time, native radio buttons.

import type { CatalogEntry } from '../api.ts';
import { byId, el } from '../dom.ts';
import { currentLang, maybe, t } from '../i18n/index.ts';

/** The order people look in; layers the page does not know follow in the catalogue's order. */
const ORDER = ['ndvi', 'evi', 'ndmi', 'mndwi', 'flood'];

/** The layers of the catalogue that this page can show: weekly rasters. */
export function layersOf(tiles: Record<string, CatalogEntry>): string[] {
  const ids = Object.entries(tiles)
    .filter(([, entry]) => (entry.content_type ?? 'image/png').startsWith('image/') && entry.kind !== 'vector')
    .map(([id]) => id)
    .filter((id) => !/^(sentinel|landsat)-/.test(id));
  const rank = (id: string): number => (ORDER.includes(id) ? ORDER.indexOf(id) : ORDER.length);
  return ids.sort((a, b) => rank(a) - rank(b));
}

/** A layer's full name. */
export function layerTitle(id: string, entry?: CatalogEntry): string {
  const title = entry?.title;
  const own = typeof title === 'object' ? title[currentLang()] : title;
  return maybe(`layer.${id}`) ?? own ?? entry?.name ?? id;
}

/** A layer's name inside a sentence. */
export const layerShort = (id: string): string => maybe(`short.${id}`) ?? id;

export function drawLayers(tiles: Record<string, CatalogEntry>, chosen: string, choose: (layer: string) => void): void {
  byId('layers').replaceChildren(
    el('fieldset', {}, el('legend', {}, t('layers.title')), ...layersOf(tiles).map((id) =>
      el('label', {},
        el('input', { type: 'radio', name: 'layer', value: id, checked: id === chosen, onchange: () => choose(id) }),
        el('span', { class: 'dot', 'data-layer': id }),
        el('span', {}, layerTitle(id, tiles[id]))))));
}
