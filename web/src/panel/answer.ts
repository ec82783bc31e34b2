// The answer to a tap: one sentence and one number first, then the other layers of that week, then the course.

import * as api from '../api.ts';
import { byId, el, icon } from '../dom.ts';
import { currentLang, number, percent, place, t, weekInSentence, type TextKey } from '../i18n/index.ts';
import type { Place } from '../state.ts';
import type { Week } from '../week.ts';
import { chartPanel, className } from './chart.ts';
import { layersOf, layerShort } from './layers.ts';

export interface Asked {
  place: Place;
  layer: string;
  week: Week;
  /** First and last week of the chart. */
  first: Week;
  last: Week;
  legend: api.Legend | null;
  catalog: api.Catalog;
}

/** Why there is no value, as one of the kinds of nothing. */
function nothing(one: api.PointLayer | undefined): TextKey {
  const reason = one?.reason ?? '';
  if ((one?.exclusion ?? 0) > 1) return 'answer.none.blind';
  if (/outside|extent|bounds/.test(reason)) return 'answer.none.outside';
  if (/item|period|week|time/.test(reason) || !one) return 'answer.none.no_item';
  if (/seen|cloud|no.?data|nodata/.test(reason)) return 'answer.none.not_seen';
  return 'answer.none.other';
}

/** Layers that are drawn inside forest blocks alone. */
const OF_FOREST = ['fire_danger', 'forest_cover'];

const classText = (one: api.PointLayer): string | null => {
  if (!one.class) return null;
  return typeof one.class === 'string' ? one.class : (one.class.label ?? null);
};

export class AnswerPanel {
  private readonly root = byId('answer');
  private stop: AbortController | null = null;
  private seriesKey = '';
  private series: Promise<api.Series> | null = null;

  constructor(private readonly choose: (week: Week) => void, private readonly close: () => void, private readonly link: () => string) {}

  cancel(): void { this.stop?.abort(); }

  hint(): void {
    this.stop?.abort();
    this.root.classList.add('empty');
    this.root.replaceChildren(el('p', { class: 'faint' }, t('answer.hint')));
  }

  async show(asked: Asked): Promise<void> {
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const at = place(asked.place.lon, asked.place.lat);
    const first = el('div', { class: 'first', 'aria-live': 'polite' });
    const chart = el('div', { class: 'chartbox' });
    this.root.classList.remove('empty');
    this.root.setAttribute('aria-busy', 'true');
    const old = this.root.querySelector('.first');
    first.append(el('p', { class: 'sentence skeleton' }, t('answer.loading', { place: at })));
    this.root.replaceChildren(
      el('header', {}, el('h2', {}, t('answer.title')), this.copyButton(), el('button', { type: 'button', class: 'icon', 'aria-label': t('answer.close'), title: t('answer.close'), onclick: this.close }, icon('close'))),
      el('p', { class: 'faint where' }, at), old && this.root.dataset.place === at ? (old as HTMLElement) : first, chart);
    this.root.dataset.place = at;

    const key = `${at} ${asked.layer} ${asked.first} ${asked.last}`;
    if (key !== this.seriesKey || !this.series) {
      this.seriesKey = key;
      this.series = api.series(asked.place, asked.layer, asked.first, asked.last);
      this.series.catch(() => { this.seriesKey = ''; });
    }
    const course = this.series;
    chart.append(el('p', { class: 'faint' }, t('chart.loading')));
    const drawCourse = course.then(
      (series) => {
        if (!stop.signal.aborted) chart.replaceChildren(chartPanel({ title: at, file: `${asked.layer}_${asked.place.lon.toFixed(5)}_${asked.place.lat.toFixed(5)}`, layer: asked.layer, series, first: asked.first, last: asked.last, week: asked.week, legend: asked.legend, choose: this.choose }));
      },
      () => { if (!stop.signal.aborted) chart.replaceChildren(el('p', { class: 'faint' }, t('chart.failed'))); });
    try {
      const answer = await api.point(asked.place, asked.week, currentLang(), stop.signal);
      this.value(first, asked, answer);
      this.root.querySelector('.first')?.replaceWith(first);
    } catch (error) {
      if (stop.signal.aborted) return;
      const outside = error instanceof api.Failed && error.status === 404;
      first.replaceChildren(el('p', { class: 'sentence' }, outside ? t('answer.none.outside', { layer: layerShort(asked.layer) }) : t('answer.failed')),
        ...(outside ? [] : [el('button', { type: 'button', onclick: () => void this.show(asked) }, t('notice.retry'))]));
      this.root.querySelector('.first')?.replaceWith(first);
    }
    await drawCourse;
    if (!stop.signal.aborted) this.root.removeAttribute('aria-busy');
  }

  private value(box: HTMLElement, asked: Asked, answer: api.PointAnswer): void {
    const known = new Set(layersOf(asked.catalog.tiles));
    const mine = answer.layers.find((one) => one.collection === asked.layer);
    const values = { layer: layerShort(asked.layer), week: weekInSentence(asked.week) };
    const say = (one: api.PointLayer): string => {
      if (one.value === null) return t('answer.noValue');
      return classText(one) ?? (one.collection === asked.layer && asked.legend?.classed ? className(asked.legend, one.value) : number(one.value));
    };
    box.replaceChildren();
    if (mine && mine.value !== null && (mine.period === null || mine.period === asked.week)) {
      const named = classText(mine) !== null || asked.legend?.classed;
      const unit = mine.unit && mine.unit !== '1' ? ` ${mine.unit}` : '';
      const notes = [
        typeof mine.n_clear === 'number' && t('answer.looks', { n: mine.n_clear }),
        typeof mine.likelihood === 'number' && t('answer.likelihood', { share: percent(mine.likelihood / 100) }),
        (mine.age_days ?? 0) > 7 && t('answer.age', { n: number(mine.age_days ?? 0, 0) }),
      ].filter(Boolean).join(' · ');
      box.append(
        el('p', { class: 'sentence' }, t(named ? 'answer.sentenceClass' : 'answer.sentence', { ...values, value: say(mine) + unit })),
        el('p', { class: 'big', id: 'value', 'data-value': mine.value }, say(mine), unit && el('small', {}, unit)),
        ...(notes ? [el('p', { class: 'faint' }, notes)] : []));
    } else {
      box.append(el('p', { class: 'sentence none', id: 'value', 'data-value': '' }, t(nothing(mine), values)));
    }
    // layers of forests say nothing elsewhere; outside the province one sentence is enough
    const outside = answer.layers.every((one) => one.value === null && /outside/.test(one.reason ?? ''));
    const others = outside ? [] : answer.layers.filter((one) => one.collection !== asked.layer && known.has(one.collection) && (one.value !== null || !OF_FOREST.includes(one.collection)));
    if (others.length) {
      box.append(el('h3', {}, t('answer.others')), el('dl', {}, ...others.map((one) =>
        el('div', {}, el('dt', {}, layerShort(one.collection)), el('dd', { class: one.value === null ? 'faint' : '' }, say(one))))));
    }
  }

  copyButton(): HTMLButtonElement {
    const button = el('button', { type: 'button', class: 'icon', 'aria-label': t('answer.copy'), title: t('answer.copy') }, icon('link'));
    button.addEventListener('click', () => {
      const done = (): void => { button.title = t('answer.copied'); button.setAttribute('aria-label', t('answer.copied')); button.classList.add('done'); };
      // Without a secure context there is no clipboard: the link is then shown to be copied by hand.
      if (navigator.clipboard) navigator.clipboard.writeText(this.link()).then(done, () => prompt(t('answer.copy'), this.link()));
      else prompt(t('answer.copy'), this.link());
    });
    return button;
  }
}
