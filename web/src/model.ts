// What the page knows of the chosen layer: its address, its weeks, its legend. Asked once, kept for the visit.

import * as api from './api.ts';
import { assetOf, collectionOf, type Lang } from './state.ts';
import { addWeeks, nearest, weekRange, type Week } from './week.ts';

/** The weeks of a layer from the first to the last look. */
export class Weeks {
  readonly looks: Week[];
  readonly all: Week[];
  private readonly share = new Map<Week, number | null>();
  private readonly versions = new Map<Week, string>();

  constructor(answer: api.Periods) {
    this.looks = answer.periods;
    answer.periods.forEach((week, i) => {
      this.share.set(week, answer.seen_share[i] ?? null);
      this.versions.set(week, answer.versions?.[i] ?? '');
    });
    const [first, last] = [this.looks[0], this.looks[this.looks.length - 1]];
    this.all = first && last ? weekRange(first, last) : [];
  }

  get first(): Week | null { return this.all[0] ?? null; }
  get last(): Week | null { return this.all[this.all.length - 1] ?? null; }
  has(week: Week): boolean { return this.share.has(week); }
  /** Changes when the week is remade; part of the tile address, so that tiles may be kept for ever. */
  version(week: Week): string { return this.versions.get(week) ?? ''; }
  /** Share of the area seen in that week; 0 without a look, null where the server does not say. */
  seen(week: Week): number | null { return this.share.has(week) ? (this.share.get(week) ?? null) : 0; }
  /** The neighbouring calendar week, null at the ends. */
  step(week: Week, by: 1 | -1): Week | null {
    const next = addWeeks(week, by);
    return this.all.includes(next) ? next : null;
  }
  /** The next week that has a look, null at the ends. */
  look(week: Week, by: 1 | -1): Week | null {
    return (by > 0 ? this.looks.find((one) => one > week) : this.looks.filter((one) => one < week).at(-1)) ?? null;
  }
  /** The week to show when `asked` is asked for: itself inside the range, else the nearest with a look. */
  resolve(asked: Week | null): Week | null {
    if (asked === null) return this.last;
    return this.all.includes(asked) ? asked : nearest(this.looks, asked);
  }
}

const kept = new Map<string, Promise<unknown>>();

/** Asks once for each key; a failed answer is asked again next time. */
function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
  let answer = kept.get(key) as Promise<T> | undefined;
  if (!answer) {
    answer = ask();
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
  }
  return answer;
}

export const weeksOf = (layer: string): Promise<Weeks> => once(`weeks ${collectionOf(layer)}`, async () => new Weeks(await api.periods(collectionOf(layer))));
export const tileJsonOf = (layer: string): Promise<api.TileJson> => once(`tiles ${layer}`, () => api.tileJson(assetOf(layer) ? `${collectionOf(layer)}?asset=${assetOf(layer)}` : layer));
export const legendOf = (layer: string, lang: Lang): Promise<api.Legend> => once(`legend ${layer} ${lang}`, () => api.legend(assetOf(layer) ?? layer, lang));
export const catalogOf = (): Promise<api.Catalog> => once('catalog', api.catalog);

/** Asks for the weeks anew, so that an hour-old page finds this morning's week. */
export function forgetWeeks(): void {
  for (const key of [...kept.keys()]) if (key.startsWith('weeks') || key === 'catalog') kept.delete(key);
}
