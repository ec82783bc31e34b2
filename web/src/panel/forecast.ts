// The level at a gauge: the seven days before its newest reading, and the next three with their measured error; alarm levels, days,
// and the errors as a table.

import * as api from '../api.ts';
import { el, svg } from '../dom.ts';
import { clock, currentLang, number, t } from '../i18n/index.ts';
import type { Week } from '../week.ts';

const WIDTH = 340;
const HEIGHT = 120;
const LEFT = 34;
const BOTTOM = 18;

type Point = { time: number; value: number };

/** Hours without a value over which no line is drawn. */
const GAP_MS = 3 * 3600_000;
const PAST_MS = 7 * 86_400_000;

/** Fills a box with the course of a gauge and its forecast; a station that measures no level leaves it empty. */
export async function showLevels(box: HTMLElement, station: string, week: Week, said: api.StationWeek, signal: AbortSignal): Promise<void> {
  if (said.time === null) return;
  const end = new Date(said.time).getTime() + 1;
  const iso = (time: number): string => new Date(time).toISOString();
  const [past, ahead] = await Promise.allSettled([api.levels(station, iso(end - PAST_MS), iso(end), signal), api.forecast(station, week, signal)]);
  if (signal.aborted) return;
  const course = past.status === 'fulfilled' ? past.value.values.map((one) => ({ time: new Date(one.start).getTime(), value: one.mean })) : [];
  const parts: HTMLElement[] = [];
  if (course.length) parts.push(el('h3', {}, t('forecast.past')), el('figure', {}, drawing(course, [], said.alarm_levels)));
  if (ahead.status === 'fulfilled') parts.push(...forecastPanel(ahead.value));
  else if (!(ahead.reason instanceof api.Failed && ahead.reason.status === 404)) parts.push(el('p', { class: 'faint' }, t('forecast.failed')));
  box.replaceChildren(...parts);
}

export function forecastPanel(forecast: api.Forecast): HTMLElement[] {
  const title = el('h3', {}, t('forecast.title'));
  if (forecast.reason) {
    const newest = forecast.newest ? ` ${t('forecast.newest', { time: clock(forecast.newest) })}` : '';
    return [title, el('p', { class: 'sentence none', id: 'forecast', 'data-reason': forecast.reason.id }, `${forecast.reason[currentLang()]}.${newest}`)];
  }
  const top = forecast.values.reduce((a, b) => (b.value > a.value ? b : a));
  const error = top.error_m === null ? '' : ` ± ${number(top.error_m)}`;
  const alarm = top.alarm ? ` (≥ BĐ${top.alarm})` : '';
  return [title,
    el('p', { id: 'forecast' }, t('forecast.top', { level: `${number(top.value)}${error} ${forecast.unit}${alarm}`, time: clock(top.time) })),
    el('figure', {}, drawing(forecast.values.map((one) => ({ time: new Date(one.time).getTime(), value: one.value })), forecast.values.map((one) => one.error_m ?? 0), forecast.alarm_levels)),
    el('details', {}, el('summary', {}, t('forecast.error')), el('div', { class: 'scroll' }, el('table', {},
      el('thead', {}, el('tr', {}, ...(['forecast.lead', 'forecast.mae', 'forecast.persistence', 'forecast.n'] as const).map((key) => el('th', { scope: 'col' }, t(key))))),
      el('tbody', {}, ...forecast.errors.map((one) => el('tr', {}, el('th', { scope: 'row' }, `${one.lead_h} h`), el('td', {}, number(one.mae_m)), el('td', {}, number(one.persistence_mae_m)), el('td', {}, String(one.n)))))))),
    el('p', { class: 'faint' }, t('forecast.method', { from: clock(forecast.origin), method: forecast.method[currentLang()] }))];
}

/** The line of a level, with a band of its error where there is one, the alarm levels near it and the days below. */
function drawing(points: Point[], errors: number[], alarms: api.StationWeek['alarm_levels']): SVGSVGElement {
  const error = (i: number): number => errors[i] ?? 0;
  const heights = points.flatMap((one, i) => [one.value - error(i), one.value + error(i)]);
  const near = alarms ? [alarms.bd1_m, alarms.bd2_m, alarms.bd3_m].filter((level) => level < Math.max(...heights) + 1 && level > Math.min(...heights) - 0.2) : [];
  const low = Math.min(...heights, ...near) - 0.05;
  const high = Math.max(...heights, ...near) + 0.05;
  const first = points[0]?.time ?? 0;
  const last = points[points.length - 1]?.time ?? 1;
  const x = (time: number): number => LEFT + ((time - first) / Math.max(last - first, 1)) * (WIDTH - LEFT - 4);
  const y = (level: number): number => 4 + ((high - level) / (high - low)) * (HEIGHT - BOTTOM - 4);
  const at = (one: Point, off = 0): string => `${x(one.time).toFixed(1)} ${y(one.value + off).toFixed(1)}`;
  const line = points.map((one, i) => `${i > 0 && one.time - (points[i - 1] as Point).time <= GAP_MS ? 'L' : 'M'} ${at(one)}`).join(' ');
  const band = [...points.map((one, i) => at(one, error(i))), ...points.map((one, i) => at(one, -error(i))).reverse()].join(' L ');
  const rules = alarms ? ([['BĐ1', alarms.bd1_m], ['BĐ2', alarms.bd2_m], ['BĐ3', alarms.bd3_m]] as const).filter(([, level]) => level > low && level < high) : [];
  // local midnights, UTC+7
  const DAY = 86_400_000;
  const OFFSET = 7 * 3600_000;
  const days: number[] = [];
  for (let day = Math.ceil((first + OFFSET) / DAY) * DAY - OFFSET; day <= last; day += DAY) days.push(day);
  const named = (day: number): string => { const local = new Date(day + OFFSET); return `${local.getUTCDate()}/${local.getUTCMonth() + 1}`; };
  return svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'forecast', role: 'img', 'aria-label': t(errors.length ? 'forecast.title' : 'forecast.past') },
    ...rules.flatMap(([name, level]) => [svg('line', { class: 'alarm', x1: LEFT, x2: WIDTH - 4, y1: y(level), y2: y(level) }), svg('text', { x: WIDTH - 4, y: y(level) - 2, 'text-anchor': 'end' }, name)]),
    ...(errors.length ? [svg('path', { class: 'band', d: `M ${band} Z` })] : []), svg('path', { class: 'line', d: line }),
    ...[low + 0.05, high - 0.05].map((level) => svg('text', { x: LEFT - 4, y: y(level) + 4, 'text-anchor': 'end' }, number(level, 1))),
    ...days.map((day) => svg('text', { x: x(day), y: HEIGHT - 4, 'text-anchor': 'middle' }, named(day))));
}
