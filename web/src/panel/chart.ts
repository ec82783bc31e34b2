// The weekly chart of a point as an own SVG: gaps where nothing was seen, hollow dots where less than half was seen, one cursor.

import type { Legend, LegendClass, Series } from '../api.ts';
import { csv, path, scale, ticks, type Frame, type Point } from '../chart.ts';
import { el, svg } from '../dom.ts';
import { days, number, percent, t, weekInSentence, weekLabel, weekShort } from '../i18n/index.ts';
import { addWeeks, monday, weekNumber, type Week } from '../week.ts';
import { layerShort } from './layers.ts';

export interface ChartInput {
  /** What the series is of, and the start of its file's name. */
  title: string;
  file: string;
  layer: string;
  series: Series;
  first: Week;
  last: Week;
  week: Week;
  legend: Legend | null;
  /** True where the values are shares of a class. */
  share?: boolean;
  /** Where the server tells the same as CSV; else it is made here. */
  csv?: string;
  choose: (week: Week) => void;
}

const FRAME: Frame = { width: 360, height: 168, left: 34, right: 10, top: 12, bottom: 24 };
const CLASS_FRAME: Frame = { ...FRAME, height: 72, left: 10 };

/** The class a value belongs to: by its number, or by the interval that holds it. */
const classOf = (legend: Legend | null, value: number): LegendClass | undefined =>
  legend?.classes.find((one) => (one.value === undefined ? value >= (one.min ?? -Infinity) && value < (one.max ?? Infinity) : one.value === value));

export const className = (legend: Legend | null, value: number): string =>
  classOf(legend, value)?.label ?? legend?.notSeen.find((one) => one.value === value)?.label ?? number(value, 0);

/** One sentence on where the series went: the last eight looks. */
function sentence(points: Point[], input: ChartInput): string {
  const seen = points.filter((one) => one.value !== null);
  const b = seen[seen.length - 1];
  if (!b) return t('chart.empty');
  if (input.legend?.classed) return t('chart.classes', { n: seen.length, weekB: weekInSentence(b.week), b: className(input.legend, b.value as number) });
  const a = seen[Math.max(0, seen.length - 8)] as Point;
  const change = (b.value as number) - (a.value as number);
  const key = Math.abs(change) < 0.02 ? 'chart.level' : change > 0 ? 'chart.up' : 'chart.down';
  return t(key, { layer: layerShort(input.layer), a: number(a.value as number), b: number(b.value as number), weekA: weekShort(a.week), weekB: weekShort(b.week) });
}

function plot(points: Point[], input: ChartInput, text: string): SVGSVGElement {
  const classed = input.legend?.classed === true;
  const frame = classed ? CLASS_FRAME : FRAME;
  const values = points.flatMap((one) => (one.value === null ? [] : [one.value]));
  const marks = classed ? [0, 1] : ticks(Math.min(0, ...values), Math.max(0.2, ...values));
  const to = scale(frame, input.first, input.last, marks[0] as number, marks[marks.length - 1] as number);
  const bottom = frame.height - frame.bottom;
  const root = svg('svg', { viewBox: `0 0 ${frame.width} ${frame.height}`, role: 'img', 'aria-label': text, class: 'chart', tabindex: 0 });
  if (!classed) {
    for (const mark of marks) {
      root.append(
        svg('line', { class: mark === 0 ? 'zero' : 'rule', x1: frame.left, x2: frame.width - frame.right, y1: to.y(mark), y2: to.y(mark) }),
        svg('text', { x: frame.left - 6, y: to.y(mark) + 3.5, 'text-anchor': 'end' }, number(mark, 1)));
    }
  }
  let lastX = -99;
  for (let week = input.first, before = -1; week <= input.last; week = addWeeks(week, 1)) {
    const date = monday(week) as Date;
    const month = date.getUTCMonth();
    if (month !== before && before >= 0 && to.x(week) - lastX > 44 && to.x(week) < frame.width - 24) {
      lastX = to.x(week);
      const name = month === 0 ? String(date.getUTCFullYear()) : `${month + 1}/${String(date.getUTCFullYear()).slice(2)}`;
      root.append(svg('line', { class: 'rule', x1: lastX, x2: lastX, y1: bottom, y2: bottom + 4 }), svg('text', { x: lastX, y: bottom + 16, 'text-anchor': 'middle' }, name));
    }
    before = month;
  }
  if (classed) {
    const width = Math.max(2, to.x(addWeeks(input.first, 1)) - to.x(input.first) - 1);
    for (const one of points) {
      if (one.value === null) continue;
      const colour = classOf(input.legend, one.value)?.color;
      root.append(svg('rect', { x: to.x(one.week) - width / 2, y: frame.top, width, height: bottom - frame.top - 6, rx: 1.5, class: colour ? '' : 'dry', style: colour ? `fill:${colour}` : undefined }));
    }
  } else {
    root.append(svg('path', { class: 'line', d: path(points, to) }));
    for (const one of points) {
      if (one.value !== null) root.append(svg('circle', { class: one.partly ? 'dot partly' : 'dot', cx: to.x(one.week), cy: to.y(one.value), r: 3 }));
    }
  }
  root.append(svg('line', { class: 'cursor', x1: to.x(input.week), x2: to.x(input.week), y1: frame.top - 6, y2: bottom }));
  return root;
}

/** Chart, readout, table and CSV of one series. */
export function chartPanel(input: ChartInput): HTMLElement {
  const byWeek = new Map(input.series.values.map((one) => [one.period, one]));
  const points: Point[] = [...byWeek.values()].filter((one) => one.period >= input.first && one.period <= input.last)
    .sort((a, b) => (a.period < b.period ? -1 : 1))
    .map((one) => ({ week: one.period, value: one.value, partly: (one.seen ?? 1) < 0.5 }));
  const say = (value: number | null | undefined): string =>
    value === null || value === undefined ? t('answer.noValue') : input.legend?.classed ? className(input.legend, value) : input.share ? percent(value) : number(value);
  const text = sentence(points, input);
  const root = plot(points, input, text);
  const readout = el('p', { class: 'readout' }, t('chart.readout', { week: weekLabel(input.week), value: say(byWeek.get(input.week)?.value) }));
  const frame = input.legend?.classed ? CLASS_FRAME : FRAME;
  const to = scale(frame, input.first, input.last, 0, 1);
  let cursor = input.week;
  const move = (week: Week): void => {
    cursor = week < input.first ? input.first : week > input.last ? input.last : week;
    const line = root.querySelector('.cursor') as SVGLineElement;
    line.setAttribute('x1', String(to.x(cursor)));
    line.setAttribute('x2', String(to.x(cursor)));
    readout.textContent = t('chart.readout', { week: weekLabel(cursor), value: say(byWeek.get(cursor)?.value) });
  };
  const weekUnder = (event: PointerEvent): Week => {
    const box = root.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * frame.width;
    const share = (x - frame.left) / (frame.width - frame.left - frame.right);
    const span = Math.max(0, (to.x(input.last) - to.x(input.first)) / (to.x(addWeeks(input.first, 1)) - to.x(input.first)));
    return addWeeks(input.first, Math.round(share * span));
  };
  root.addEventListener('pointermove', (event) => move(weekUnder(event)));
  root.addEventListener('pointerleave', () => move(input.week));
  root.addEventListener('click', (event) => { move(weekUnder(event as PointerEvent)); input.choose(cursor); });
  root.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      move(addWeeks(cursor, event.key === 'ArrowLeft' ? -1 : 1));
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'Enter') input.choose(cursor);
  });

  const rows = points.map((one) => {
    const row = byWeek.get(one.week);
    return { week: one.week, value: one.value, clear: row?.n_clear ?? null, age: row?.age_days ?? null, seen: row?.seen ?? null };
  });
  const zone = rows.some((row) => row.seen !== null);
  const header = zone ? (['chart.week', 'chart.days', 'chart.value', 'chart.seen'] as const) : (['chart.week', 'chart.days', 'chart.value', 'chart.clear', 'chart.age'] as const);
  const table = el('table', {},
    el('caption', {}, t('chart.caption', { layer: layerShort(input.layer), place: input.title })),
    el('thead', {}, el('tr', {}, ...header.map((key) => el('th', { scope: 'col' }, t(key))))),
    el('tbody', {}, ...[...rows].reverse().map((row) => el('tr', {},
      el('th', { scope: 'row' }, String(weekNumber(row.week))), el('td', {}, days(row.week)), el('td', {}, say(row.value)),
      ...(zone ? [el('td', {}, row.seen === null ? '–' : percent(row.seen))] : [el('td', {}, row.clear === null ? '–' : String(row.clear)), el('td', {}, row.age === null ? '–' : number(row.age, 0))])))));
  const download = input.csv ? el('p', { class: 'links' }, el('a', { href: input.csv }, t('chart.csv'))) : el('button', {
    type: 'button', class: 'quiet', onclick: () => {
      const file = new Blob(['\ufeff', csv(['week', 'value', 'n_clear', 'age_days'], rows.map((row) => [row.week, row.value, row.clear, row.age]))], { type: 'text/csv' });
      const link = el('a', { href: URL.createObjectURL(file), download: `${input.file}_${input.first}_${input.last}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
  }, t('chart.csv'));
  return el('div', { class: 'series' }, el('h3', {}, t('chart.title')), el('p', { class: 'trend' }, text), readout, root,
    !input.legend?.classed && el('p', { class: 'key', 'aria-hidden': 'true' }, el('i', { class: 'k-fresh' }), t('chart.fresh'), points.some((one) => one.partly) && el('i', { class: 'k-partly' }), points.some((one) => one.partly) && t('chart.partly'), el('i', { class: 'k-gap' }), t('chart.gap')),
    el('details', {}, el('summary', {}, t('chart.table')), el('div', { class: 'scroll' }, table), download));
}
