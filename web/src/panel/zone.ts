// The answer for a zone: a sentence and a number, what else lies here, crop and sensors, then the whole course.

import * as api from '../api.ts';
import { byId, el, icon } from '../dom.ts';
import { clock, currentLang, number, percent, t, weekInSentence, type TextKey } from '../i18n/index.ts';
import { kindName, shareClass } from '../kinds.ts';
import type { Found } from '../map/zones.ts';
import type { Week } from '../week.ts';
import { chartPanel } from './chart.ts';
import { showLevels } from './forecast.ts';
import { layerShort, layersOf } from './layers.ts';

export interface ZoneAsked {
  zone: api.ZoneRef;
  /** What else was under the finger. */
  others: Found[];
  layer: string;
  week: Week;
  first: Week;
  last: Week;
  legend: api.Legend | null;
  catalog: api.Catalog;
}

export interface ZoneEvents {
  week: (week: Week) => void;
  close: () => void;
  zone: (zone: api.ZoneRef) => void;
  /** The zone is known: it can be outlined and shown. */
  known: (feature: api.ZoneFeature) => void;
  copy: () => HTMLButtonElement;
}

const SENSED = ['water_level', 'salinity', 'ph', 'temperature', 'humidity', 'rain', 'wind_speed', 'soil_moisture', 'pest_count'];
const propertyName = (name: string): string => (SENSED.includes(name) ? t(`property.${name}` as TextKey) : name);
const unit = (ucum: string): string => ({ Cel: '\u00b0C', 'g/L': 'g/l', '[pH]': '', 1: '' })[ucum] ?? ucum;

export class ZonePanel {
  private readonly root = byId('answer');
  private stop: AbortController | null = null;

  constructor(private readonly events: ZoneEvents) {}

  cancel(): void { this.stop?.abort(); }

  async show(asked: ZoneAsked): Promise<void> {
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const key = `${asked.zone.kind}:${asked.zone.code}`;
    const same = this.root.dataset.place === key;
    this.root.dataset.place = key;
    this.root.classList.remove('empty');
    this.root.setAttribute('aria-busy', 'true');
    const title = el('h2', {}, asked.zone.code);
    const where = el('p', { class: 'faint where' }, `${kindName(asked.zone.kind)} · ${asked.zone.code}`);
    const old = same ? [...this.root.querySelectorAll<HTMLElement>('.first, .chartbox')] : [];
    const first = el('div', { class: 'first', 'aria-live': 'polite' }, el('p', { class: 'sentence skeleton' }, t('zone.loading', { code: asked.zone.code })));
    const chart = el('div', { class: 'chartbox' });
    this.root.replaceChildren(
      el('header', {}, title, this.events.copy(), el('button', { type: 'button', class: 'icon', 'aria-label': t('answer.close'), title: t('answer.close'), onclick: this.events.close }, icon('close'))),
      where, ...(old.length === 2 ? old : [first, chart]));
    // levels are told day by day, not as the course of a share
    const levels = asked.legend?.ordered === true;
    const share = Boolean(asked.legend?.classed && shareClass(asked.legend));
    try {
      const [feature, record, series] = await Promise.all([
        api.zone(asked.zone, stop.signal),
        api.zoneWeek(asked.zone, asked.week, stop.signal),
        levels ? null : api.zoneSeries(asked.zone, asked.layer, share, stop.signal).catch(() => null),
      ]);
      if (stop.signal.aborted) return;
      this.events.known(feature);
      const { name, area_ha: area, commune } = feature.properties;
      title.textContent = name ?? asked.zone.code;
      where.textContent = [kindName(asked.zone.kind), asked.zone.code, area !== undefined && `${number(area)} ha`, commune].filter(Boolean).join(' · ');
      // a hot spot and a reach of a river tell of one time or of years, not of the week
      const own = asked.zone.kind === 'hotspots' ? hotspotBox(feature) : feature.properties.riverbank ? reachBox(feature.properties.riverbank) : null;
      this.root.querySelector('.first')?.replaceWith(own ?? this.first(asked, record));
      if (own) {
        this.root.querySelector('.chartbox')?.replaceChildren(this.links(asked));
        this.root.removeAttribute('aria-busy');
        return;
      }
      const drawn = record.station ? null : series && series.values.length ? chartPanel({
        title: `${asked.zone.code}`, file: `${asked.layer}_${asked.zone.code.replace(/[^\w.-]+/g, '_')}`, layer: asked.layer, series, first: asked.first, last: asked.last, week: asked.week,
        legend: share ? null : asked.legend, share, csv: `${api.root()}api/v1/zones/${api.zonePath(asked.zone)}/statistics?collection=${asked.layer}&f=csv`, choose: this.events.week,
      }) : levels ? null : el('p', { class: 'faint' }, t('zone.noSeries', { layer: layerShort(asked.layer) }));
      const ahead = el('div', {});
      const box = el('div', { class: 'chartbox' }, ahead, drawn, this.seasons(feature), this.links(asked));
      this.root.querySelector('.chartbox')?.replaceWith(box);
      if (record.station) await showLevels(ahead, asked.zone.code, asked.week, record.station, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      const unknown = error instanceof api.Failed && error.status === 404;
      first.replaceChildren(el('p', { class: 'sentence none' }, t(unknown ? 'zone.unknown' : 'zone.failed', { code: asked.zone.code })),
        ...(unknown ? [] : [el('button', { type: 'button', onclick: () => void this.show(asked) }, t('notice.retry'))]));
      this.root.querySelector('.first')?.replaceWith(first);
      this.root.querySelector('.chartbox')?.replaceChildren();
    }
    if (!stop.signal.aborted) this.root.removeAttribute('aria-busy');
  }

  private first(asked: ZoneAsked, record: api.ZoneWeek): HTMLElement {
    const box = el('div', { class: 'first', 'aria-live': 'polite' });
    const mine = record.statistics[asked.layer];
    const share = Boolean(asked.legend?.classed && shareClass(asked.legend));
    /** The level most of the zone has. */
    const level = (one: api.Statistic): api.LegendClass | undefined => {
      const [most] = Object.entries(one.shares ?? {}).sort((a, b) => b[1] - a[1]);
      return asked.legend?.classes.find((entry) => String(entry.value) === most?.[0]);
    };
    const value = (one: api.Statistic | undefined, layer: string): string => {
      if (!one || one.seen === 0) return t('answer.noValue');
      if (layer === asked.layer && asked.legend?.ordered) return level(one)?.label ?? t('answer.noValue');
      if (layer === 'fire_danger') return record.fire?.level ? record.fire.level.roman : t('answer.noValue');
      if (layer === asked.layer && share) return typeof one.share === 'number' ? percent(one.share) : t('answer.noValue');
      if (layer === 'flood') return record.water_share === null ? t('answer.noValue') : percent(record.water_share);
      return one.mean === null ? t('answer.noValue') : `${number(one.mean)} ${unit(one.unit ?? '')}`.trim();
    };
    const cause = record.inundation && record.inundation.class !== 'none' ? waterOf(record.inundation) : null;
    // what is dangerous stands first
    if (cause && record.inundation?.alert) box.append(cause);
    box.append(el('p', { class: 'sentence' }, record.sentence[currentLang()]));
    if (record.station) {
      box.append(...stationLines(record));
      return box;
    }
    if (mine) {
      const shown = asked.legend?.ordered ? (level(mine)?.value ?? null) : share ? mine.share : mine.mean;
      box.append(
        el('p', { class: danger(asked.layer, record), id: 'value', 'data-value': shown ?? '' }, value(mine, asked.layer)),
        trustLine(asked.layer, mine));
    } else {
      box.append(el('p', { class: 'sentence none', id: 'value', 'data-value': '' }, t('zone.noWeek', { layer: layerShort(asked.layer), week: weekInSentence(asked.week) })));
    }
    if (record.fire) box.append(...fireLines(record.fire));
    if (record.crop) {
      const { season, title, weeks_since_sowing: weeks } = record.crop;
      box.append(el('p', {}, el('b', {}, t('zone.crop')), ` ${title[currentLang()]}${weeks === null ? '' : `, ${t('zone.weeksSince', { n: weeks })}`} (${seasonName(season)})`));
    }
    if (cause && !record.inundation?.alert) box.append(cause);
    const chips = asked.others.filter((one) => one.kind !== asked.zone.kind || one.code !== asked.zone.code);
    if (chips.length) {
      box.append(el('h3', {}, t('zone.alsoHere')), el('p', { class: 'chips' }, ...chips.map((one) =>
        el('button', { type: 'button', onclick: () => this.events.zone({ kind: one.kind, code: one.code }) }, `${kindName(one.kind)}: ${one.name}`))));
    }
    // the change of a block is told in words below; its class is no number
    const known = layersOf(asked.catalog.tiles).filter((one) => one !== asked.layer && one !== 'forest_cover' && record.statistics[one] && (one !== 'fire_danger' || record.fire));
    if (known.length) {
      box.append(el('h3', {}, t('answer.others')), el('dl', {}, ...known.map((one) =>
        el('div', {}, el('dt', {}, layerShort(one)), el('dd', {}, value(record.statistics[one], one))))));
    }
    if (record.sensors.length) {
      box.append(el('h3', {}, t('zone.sensors')), readings(record.sensors, (one) => ` ${one.name}${one.distance_km > 0.05 ? `, ${number(one.distance_km, 1)} km` : ''}`));
    }
    return box;
  }

  private seasons(feature: api.ZoneFeature): HTMLElement | null {
    const seasons = feature.properties.seasons ?? [];
    if (!seasons.length) return null;
    const day = (text: string | null): string => (text ? new Date(`${text}T00:00:00Z`).toLocaleDateString(currentLang() === 'vi' ? 'vi-VN' : 'en-GB', { timeZone: 'UTC' }) : '–');
    return el('div', {}, el('h3', {}, t('zone.seasons')), el('div', { class: 'scroll' }, el('table', { class: 'seasons' },
      el('thead', {}, el('tr', {}, ...(['zone.season', 'zone.sowing', 'zone.heading', 'zone.harvest'] as const).map((key) => el('th', { scope: 'col' }, t(key))))),
      el('tbody', {}, ...[...seasons].reverse().map((one) => el('tr', {}, el('th', { scope: 'row' }, seasonName(one.season)), el('td', {}, day(one.sowing)), el('td', {}, day(one.heading)), el('td', {}, day(one.harvest))))))));
  }

  private links(asked: ZoneAsked): HTMLElement {
    return el('p', { class: 'links' }, el('a', { href: `${api.root()}zones/${api.zonePath(asked.zone)}?lang=${currentLang()}`, target: '_blank', rel: 'noopener' }, t('zone.page')));
  }
}

/** What sensors said, with a word beside each name. */
const readings = (sensors: api.Near[], beside: (one: api.Near) => string): HTMLElement => el('dl', { class: 'sensors' }, ...sensors.map((one) =>
  el('div', {}, el('dt', {}, propertyName(one.property), el('small', {}, beside(one))), el('dd', {}, one.value === null ? '–' : `${number(one.value)} ${unit(one.unit)}`.trim()))));

/** A gauge's level large and in the colour of its alarm level, then everything the station measured and when. */
function stationLines(record: api.ZoneWeek): HTMLElement[] {
  const station = record.station;
  const lines: HTMLElement[] = [];
  if (station && station.level_m !== null) {
    const alarm = station.alarm ? ` a${station.alarm}` : '';
    lines.push(el('p', { class: `big${alarm && ' danger'}${alarm}`, id: 'value', 'data-value': station.level_m, 'data-alarm': String(station.alarm ?? '') },
      `${number(station.level_m)} m`, station.alarm ? el('small', {}, ` ≥ BĐ${station.alarm}`) : null));
  } else {
    lines.push(el('p', { class: 'sentence none', id: 'value', 'data-value': '' }, record.sensors.length ? '' : t('zone.noReadings')));
  }
  if (record.sensors.length) lines.push(el('h3', {}, t('zone.readings')), readings(record.sensors, (one) => ` ${clock(one.time)}`));
  return lines;
}

/** The class of the large number: a level of danger or an alarm has its colour. */
function danger(layer: string, record: api.ZoneWeek): string {
  const level = layer === 'fire_danger' ? record.fire?.level?.number : undefined;
  if (level) return `big danger l${level}`;
  return record.inundation?.alert ? 'big danger alert' : 'big';
}

/** How much this layer saw, and how far to rely on it: by its own looks, whatever the others saw. */
function trustLine(layer: string, mine: api.Statistic): HTMLElement {
  const trust = mine.trust;
  const parts = [
    layerShort(layer), t('week.seen', { share: percent(mine.seen) }),
    typeof trust?.looks === 'number' && t('zone.looks', { n: number(trust.looks, 1) }),
    typeof trust?.likelihood === 'number' && t('zone.likelihood', { share: percent(trust.likelihood / 100) }),
    trust?.words[currentLang()],
  ];
  return el('p', { class: `faint trust ${trust?.level ?? ''}` }, parts.filter(Boolean).join(' · '));
}

/** What became of the banks of a reach, in a sentence, then in metres and hectares. */
function reachBox(reach: api.Riverbank): HTMLElement {
  const lang = currentLang();
  return el('div', { class: 'first', 'aria-live': 'polite' },
    el('p', { class: 'sentence', id: 'value', 'data-value': reach.change }, reach.sentence[lang]),
    el('dl', { class: 'sensors' }, ...reach.rows.map(({ title, value }) => el('div', {}, el('dt', {}, title[lang]), el('dd', {}, value[lang])))));
}

/** Level of today and of the week, whose table it is, what the cover lost, what burned. */
function fireLines(fire: api.FireWeek): HTMLElement[] {
  const lang = currentLang();
  const lines: HTMLElement[] = [el('h3', {}, t('fire.title'))];
  if (fire.sentence) lines.push(el('p', { id: 'fire', 'data-level': String(fire.newest?.level?.number ?? '') }, fire.sentence[lang]));
  if (fire.days.length) {
    lines.push(el('p', { class: 'levels' }, ...fire.days.map((one) => el('span', { class: `level l${one.level?.number ?? 0}`, title: `${one.day}: ${one.level ? one.level.title[lang] : (one.unknown?.title[lang] ?? '')}` }, one.level?.roman ?? '?'))));
  }
  if (fire.change?.sentence) lines.push(el('p', { id: 'change' }, fire.change.sentence[lang]));
  const spots = Object.entries(fire.hotspots);
  if (spots.length) lines.push(el('p', {}, el('b', {}, t('fire.hotspots')), ` ${spots.map(([kind, count]) => `${count} ${burningName(kind)}`).join(', ')}`));
  if (fire.citation && fire.days.length) lines.push(el('p', { class: 'faint' }, `${fire.citation[lang]}. ${t('fire.fwi')}`));
  return lines;
}

const BURNING_TEXT: Record<string, TextKey> = { forest: 'burning.forest', straw: 'burning.straw', other: 'burning.other', static: 'burning.static' };
const CONFIDENCE_TEXT: Record<string, TextKey> = { low: 'confidence.low', nominal: 'confidence.nominal', high: 'confidence.high' };
const burningName = (kind: string): string => t(BURNING_TEXT[kind] ?? 'burning.other');

/** A hot spot in words: when, by what, how strong, how large its cell, what burned, and the fire it belongs to. */
function hotspotBox(feature: api.ZoneFeature): HTMLElement {
  const one = feature.properties;
  const dated = (text?: string): string => (text ? new Date(text).toLocaleString(currentLang() === 'vi' ? 'vi-VN' : 'en-GB', { timeZone: 'Asia/Ho_Chi_Minh', dateStyle: 'short', timeStyle: 'short' }) : '–');
  const rows: [TextKey, string][] = [
    ['hotspot.time', dated(one.time)],
    ['hotspot.satellite', [one.satellite, one.instrument].filter(Boolean).join(', ')],
    ['hotspot.confidence', one.confidence && CONFIDENCE_TEXT[one.confidence] ? t(CONFIDENCE_TEXT[one.confidence] as TextKey) : '–'],
    ['hotspot.power', one.frp_mw === undefined ? '–' : `${number(one.frp_mw, 1)} MW`],
    ['hotspot.cell', one.scan_km === undefined || one.track_km === undefined ? '–' : `${number(one.scan_km, 2)} × ${number(one.track_km, 2)} km`],
    ['hotspot.fire', t('hotspot.fireWords', { n: String(one.fire_count ?? 1), from: dated(one.fire_first), to: dated(one.fire_last) })],
  ];
  return el('div', { class: 'first', 'aria-live': 'polite' },
    el('p', { class: 'sentence', id: 'value', 'data-value': one.burning ?? '' }, burningName(one.burning ?? 'other')),
    el('dl', {}, ...rows.map(([key, value]) => el('div', {}, el('dt', {}, t(key)), el('dd', {}, value)))),
    el('p', { class: 'faint' }, t('hotspot.note')));
}

/** Why a compartment is under water, since when and how much. */
function waterOf(water: api.Inundation): HTMLElement {
  const lang = currentLang();
  const day = (text: string): string => new Date(`${text}T00:00:00Z`).toLocaleDateString(lang === 'vi' ? 'vi-VN' : 'en-GB', { timeZone: 'UTC' });
  const parts = [
    water.flooded_ha !== null && t('water.area', { ha: number(water.flooded_ha, 1), body: number(water.connected_ha ?? 0, 1) }),
    water.first_wet && water.last_wet && t('water.since', { from: day(water.first_wet), to: day(water.last_wet), n: water.days_under_water ?? 1 }),
    water.gauge && t('water.gauge', { station: water.gauge.station, level: number(water.gauge.highest_m), alarm: water.gauge.alarm ? `≥ BĐ${water.gauge.alarm}` : '< BĐ1' }),
  ].filter((part) => part !== false && part !== null && part !== '');
  return el('div', { class: `water${water.alert ? ' alert' : ''}`, 'data-class': water.class },
    el('h3', {}, t('water.title')),
    el('p', {}, el('b', {}, water.title[lang], !water.sure && water.class !== 'not_classified' && ` (${t('water.likely')})`), ` – ${water.reason[lang]}`),
    el('p', { class: 'faint' }, parts.join(' · ')));
}

const SEASONS = ['dong-xuan', 'xuan-he', 'he-thu', 'thu-dong'];
/** `2026-he-thu` as people say it. */
function seasonName(label: string): string {
  const [, year, name] = /^(\d{4})-(.+)$/.exec(label) ?? [];
  return name && SEASONS.includes(name) ? `${t(`season.${name}` as TextKey)} ${year}` : label;
}
