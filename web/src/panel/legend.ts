// The legend: drawn only from `/api/v1/legends`, with the unit, and the two kinds of "not this week" beside the classes.

import type { Legend, LegendClass } from '../api.ts';
import { byId, el } from '../dom.ts';
import { number, percent, t } from '../i18n/index.ts';

/** Stops as a CSS gradient, each at its place between the ends. */
export function gradient(legend: Legend): string {
  const [low, high] = ends(legend);
  const at = (value: number): string => `${(((value - low) / (high - low || 1)) * 100).toFixed(1)}%`;
  return `linear-gradient(90deg,${legend.stops.map((stop) => `${stop.color} ${at(stop.value)}`).join(',')})`;
}

const ends = (legend: Legend): [number, number] => [legend.stops[0]?.value ?? 0, legend.stops[legend.stops.length - 1]?.value ?? 1];

/** The numbers below a ramp: the legend's own, else five at equal distances. */
function marks(legend: Legend): number[] {
  if (legend.ticks.length) return legend.ticks;
  const [low, high] = ends(legend);
  return high > low ? Array.from({ length: 5 }, (_, i) => low + ((high - low) * i) / 4) : [low];
}

const place = (legend: Legend, value: number): string => {
  const [low, high] = ends(legend);
  return `${(((value - low) / (high - low || 1)) * 100).toFixed(1)}%`;
};

const digits = (legend: Legend): number => {
  const [low, high] = ends(legend);
  return high - low >= 20 ? 0 : 1;
};

export const unitText = (unit: string): string => (unit && unit !== '1' ? t('legend.unit', { unit }) : t('legend.noUnit'));

/** The colour of a class, with what the map draws over it. */
const swatch = (one: LegendClass): HTMLElement =>
  el('span', { class: one.mark === 'hatch' ? 'swatch lines' : 'swatch', style: `background-color:${one.color}` }, one.numeral ? el('b', { 'aria-hidden': 'true' }, one.numeral) : null);

export function drawLegend(legend: Legend | null, seen: number | null): void {
  const root = byId('legend');
  const mini = document.getElementById('mini');
  if (!legend) {
    root.replaceChildren(el('h2', {}, t('legend.title')), el('p', { class: 'faint' }, t('legend.failed')));
    mini?.replaceChildren();
    return;
  }
  const rows = legend.classes.map((one) =>
    el('li', { 'data-class': one.value ?? '' }, swatch(one), el('span', { class: 'label' }, one.label)));
  const share = seen === null ? null : t('legend.notSeenShare', { share: percent(1 - seen) });
  const unseen = legend.notSeen.length ? legend.notSeen.map((one) => one.label) : [t('legend.notSeen')];
  root.replaceChildren(
    el('h2', {}, legend.title || t('legend.title')),
    el('p', { class: 'faint unit' }, legend.classed && !legend.unit ? '' : unitText(legend.unit)),
    ...(legend.stops.length === 0 ? [] : [el('div', { class: 'ramp' },
      el('div', { class: 'gradient', style: `background:${gradient(legend)}` }),
      el('div', { class: 'ticks' }, ...marks(legend).map((value) => el('span', { style: `left:${place(legend, value)}` }, number(value, digits(legend))))))]),
    el('ul', {}, ...rows,
      ...unseen.map((label, index) => el('li', { class: 'nothing', 'data-state': 'not_seen' }, el('span', { class: 'swatch hatch' }), el('span', { class: 'label' }, label),
        index === unseen.length - 1 ? share && el('b', { id: 'unseen-share' }, share) : null))));
  mini?.replaceChildren(...(legend.stops.length
    ? [el('span', {}, number(marks(legend)[0] ?? 0, 1)), el('div', { class: 'gradient', style: `background:${gradient(legend)}` }), el('span', {}, number(marks(legend).at(-1) ?? 1, 1))]
    : legend.classes.map((one) => el('span', { class: 'pair' }, swatch(one), one.label))));
}

/** A further legend: of the compartments that are coloured by why they are under water, of the banks of rivers. */
export function drawMore(id: 'causes' | 'banks', legend: Legend | null): void {
  document.getElementById(id)?.remove();
  if (!legend) return;
  byId('legend').append(el('div', { id, class: 'more' }, el('h3', {}, legend.title), el('ul', {}, ...legend.classes.map((one) =>
    el('li', { [id === 'causes' ? 'data-cause' : 'data-change']: one.value ?? '' }, el('span', { class: 'swatch', style: `background:${one.color}` }), el('span', { class: 'label' }, one.label))))));
}
