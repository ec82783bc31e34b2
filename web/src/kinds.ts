// What the page knows of the kinds of zones: their names, their colours, which are coloured by the week.

import type { Legend, LegendClass } from './api.ts';
import { t, type TextKey } from './i18n/index.ts';

const NAMED = ['plots', 'dyke_compartments', 'growing_areas', 'aquaculture_sites', 'livestock_sites', 'forest_blocks', 'raw_material_areas',
  'cooperatives', 'admin_units', 'stations', 'pumps', 'sluices', 'canals', 'dykes', 'businesses', 'hotspots', 'riverbanks'];

/** A kind's name; kinds that people named themselves keep their name. */
export const kindName = (kind: string): string => (NAMED.includes(kind) ? t(`kind.${kind}` as TextKey) : kind);

/** Plots are smaller than a finger below this zoom; there the raster itself says more. */
export const PAINT_ZOOM = 12.5;
/** Kinds that are coloured by the week's value; the others are outlines over the raster. */
export const PAINTED = ['plots', 'growing_areas', 'aquaculture_sites', 'forest_blocks'];

/** The kind that is coloured by why it is under water, and the style that says how. */
export const COMPARTMENTS = 'dyke_compartments';
export const CAUSES = 'inundation';

/** The style that says how reaches of a river are coloured, and what `sen erosion` says of one as a class of it. */
export const BANKS = 'riverbanks';
export const CHANGES: Record<string, number> = { none: 0, erosion: 1, accretion: 2, both: 3, unseen: 4 };
/** Fields that `sen erosion` alone writes: its layer may have any name. */
export const isBanks = (fields: Record<string, unknown>): boolean => ['change', 'eroded_ha', 'min_detectable_m'].every((name) => name in fields);

const COLOURS: Record<string, string> = {
  plots: '#4d5f57', dyke_compartments: '#a0522d', growing_areas: '#8e3b8e', admin_units: '#333c39', forest_blocks: '#1f6b3a',
  aquaculture_sites: '#1c6f8c', canals: '#3f7fb5', dykes: '#7a5230', stations: '#b03a6f', pumps: '#7a4bb0', sluices: '#9c6b00', businesses: '#5a5a5a', hotspots: '#d7301f', riverbanks: '#c4161c',
};
const MORE = ['#6b4e9b', '#007a6c', '#a34724', '#51710c', '#8c2f52'];

/** The colour of a kind's lines and dots. */
export const kindColour = (kind: string): string =>
  COLOURS[kind] ?? (MORE[[...kind].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % MORE.length] as string);

/** What burned at a hot spot, with its colour: forest, straw in paddies, elsewhere, always hot. */
export const BURNING = { forest: '#d7301f', straw: '#c99700', other: '#b0603a', static: '#6b6b6b' } as const;

/** The class in whose colour the share of a zone is painted: the first that is drawn. */
export const shareClass = (legend: Legend): LegendClass | undefined =>
  legend.classes.find((one) => one.value !== undefined && one.value > 0 && !/00$/.test(one.color.slice(7)));
