// The level of the next three days at a gauge: a line with its measured error, alarm levels, and the errors as a table.

import * as api from '../api.ts';
import { el, svg } from '../dom.ts';
import { currentLang, number, t } from '../i18n/index.ts';
import type { Week } from '../week.ts';

const WIDTH = 340;
const HEIGHT = 120;
const LEFT = 34;
const BOTTOM = 18;

/** Fills a box with the forecast of a gauge; a station that measures no level leaves it empty. */
export async function showForecast(box: HTMLElement, station: string, week: Week, signal: AbortSignal): Promise<void> {
  try {
    const answer = await api.forecast(station, week, signal);
    if (!signal.aborted) box.replaceChildren(...forecastPanel(answer));
  } catch (error) {
    const none = error instanceof api.Failed && error.status === 404;
    if (!signal.aborted && !none) box.replaceChildren(el('p', { class: 'faint' }, t('forecast.failed')));
  }
}

const when = (time: string): string => new Date(time).toLocaleString(currentLang() === 'vi' ? 'vi-VN' : 'en-GB',
  { timeZone: 'Asia/Ho_Chi_Minh', day: 'numeric', month: 'numeric', hour: '2-digit', minute: '2-digit' });

export function forecastPanel(forecast: api.Forecast): HTMLElement[] {
  const title = el('h3', {}, t('forecast.title'));
  if (forecast.reason) {
    const newest = forecast.newest ? ` ${t('forecast.newest', { time: when(forecast.newest) })}` : '';
    return [title, el('p', { class: 'sentence none', id: 'forecast', 'data-reason': forecast.reason.id }, `${forecast.reason[currentLang()]}.${newest}`)];
  }
  const top = forecast.values.reduce((a, b) => (b.value > a.value ? b : a));
  const error = top.error_m === null ? '' : ` ± ${number(top.error_m)}`;
  const alarm = top.alarm ? ` (≥ BĐ${top.alarm})` : '';
  return [title,
    el('p', { id: 'forecast' }, t('forecast.top', { level: `${number(top.value)}${error} ${forecast.unit}${alarm}`, time: when(top.time) })),
    el('figure', {}, drawing(forecast)),
    el('details', {}, el('summary', {}, t('forecast.error')), el('div', { class: 'scroll' }, el('table', {},
      el('thead', {}, el('tr', {}, ...(['forecast.lead', 'forecast.mae', 'forecast.persistence', 'forecast.n'] as const).map((key) => el('th', { scope: 'col' }, t(key))))),
      el('tbody', {}, ...forecast.errors.map((one) => el('tr', {}, el('th', { scope: 'row' }, `${one.lead_h} h`), el('td', {}, number(one.mae_m)), el('td', {}, number(one.persistence_mae_m)), el('td', {}, String(one.n)))))))),
    el('p', { class: 'faint' }, t('forecast.method', { from: when(forecast.origin), method: forecast.method[currentLang()] }))];
}

function drawing({ values, alarm_levels: alarms }: api.Forecast): SVGSVGElement {
  const reach = (one: api.Forecast['values'][number]): number => one.error_m ?? 0;
  const levels = values.flatMap((one) => [one.value - reach(one), one.value + reach(one)]);
  const low = Math.min(...levels) - 0.05;
  const high = Math.max(...levels) + 0.05;
  const last = values[values.length - 1]?.lead_h ?? 1;
  const x = (lead: number): number => LEFT + (lead / last) * (WIDTH - LEFT - 4);
  const y = (level: number): number => 4 + ((high - level) / (high - low)) * (HEIGHT - BOTTOM - 4);
  const path = (points: [number, number][]): string => points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join(' L ');
  const line = values.map((one): [number, number] => [one.lead_h, one.value]);
  const band = [...values.map((one): [number, number] => [one.lead_h, one.value + reach(one)]), ...[...values].reverse().map((one): [number, number] => [one.lead_h, one.value - reach(one)])];
  const rules = alarms ? ([['BĐ1', alarms.bd1_m], ['BĐ2', alarms.bd2_m], ['BĐ3', alarms.bd3_m]] as const).filter(([, level]) => level > low && level < high) : [];
  return svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'forecast', role: 'img', 'aria-label': t('forecast.title') },
    ...rules.flatMap(([name, level]) => [svg('line', { class: 'alarm', x1: LEFT, x2: WIDTH - 4, y1: y(level), y2: y(level) }), svg('text', { x: WIDTH - 4, y: y(level) - 2, 'text-anchor': 'end' }, name)]),
    svg('path', { class: 'band', d: `M ${path(band)} Z` }), svg('path', { class: 'line', d: `M ${path(line)}` }),
    ...[low + 0.05, high - 0.05].map((level) => svg('text', { x: LEFT - 4, y: y(level) + 4, 'text-anchor': 'end' }, number(level, 1))),
    ...[24, 48, 72].map((lead) => svg('text', { x: x(lead), y: HEIGHT - 4, 'text-anchor': lead === 72 ? 'end' : 'middle' }, `+${lead} h`)));
}
