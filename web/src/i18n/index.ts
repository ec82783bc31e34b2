// Texts and number forms of the two languages. A key that one language lacks fails the type check and a test.

import type { Lang } from '../state.ts';
import { weekDays, weekNumber, weekYear, type Week } from '../week.ts';
import en from './en.json';
import vi from './vi.json';

export type TextKey = keyof typeof vi;
const TEXTS: Record<Lang, Record<TextKey, string>> = { vi, en };

let lang: Lang = 'vi';
export const setLang = (next: Lang): void => { lang = next; };
export const currentLang = (): Lang => lang;
const locale = (): string => (lang === 'vi' ? 'vi-VN' : 'en-GB');

/** The text of a key in the current language, `{name}` replaced. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return TEXTS[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Rounded as the server rounds: the number itself, not its shortest decimal form. */
export const number = (value: number, digits = 2): string =>
  Number(value.toFixed(digits)).toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace('-', '\u2212');

/** A time of day with its day, as here (UTC+7): `23:45 20/9`. */
export const clock = (time: string): string =>
  new Date(time).toLocaleString(locale(), { timeZone: 'Asia/Ho_Chi_Minh', day: 'numeric', month: 'numeric', hour: '2-digit', minute: '2-digit' });

export function percent(share: number): string {
  const value = share * 100;
  // 0 % and 100 % are promises: said only when they hold.
  const shown = value > 0 && value < 1 ? 1 : value > 99 && value < 100 ? 99 : Math.round(value);
  return `${shown} %`;
}

const sameMonth = (a: Date, b: Date): boolean => a.getUTCMonth() === b.getUTCMonth();

/** The days of a week: `17–23/8/2026` in Vietnamese, `17–23 Aug 2026` in English. */
export function days(week: Week): string {
  const [from, to] = weekDays(week);
  const year = from.getUTCFullYear() === to.getUTCFullYear();
  if (lang === 'vi') {
    const start = sameMonth(from, to) ? `${from.getUTCDate()}` : `${from.getUTCDate()}/${from.getUTCMonth() + 1}${year ? '' : `/${from.getUTCFullYear()}`}`;
    return `${start}–${to.getUTCDate()}/${to.getUTCMonth() + 1}/${to.getUTCFullYear()}`;
  }
  const month = (date: Date): string => date.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' });
  const start = sameMonth(from, to) ? `${from.getUTCDate()}` : `${from.getUTCDate()} ${month(from)}${year ? '' : ` ${from.getUTCFullYear()}`}`;
  return `${start}–${to.getUTCDate()} ${month(to)} ${to.getUTCFullYear()}`;
}

/** `Tuần 34 · 17–23/8/2026`: a week is always said as number and dates. */
export const weekLabel = (week: Week): string => t('week.label', { n: weekNumber(week), days: days(week) });

/** `tuần 34 (17–23/8/2026)`, inside a sentence. */
export const weekInSentence = (week: Week): string => `${t('week.short', { n: weekNumber(week) })} (${days(week)})`;

/** `tuần 34/2026`, where room is short and the dates stand beside it. */
export const weekShort = (week: Week): string => `${t('week.short', { n: weekNumber(week) })}/${weekYear(week)}`;

export const place = (lon: number, lat: number): string => `${number(lat, 5)}° B, ${number(lon, 5)}° Đ`
  .replace('° B', lang === 'vi' ? '° B' : '° N').replace('° Đ', lang === 'vi' ? '° Đ' : '° E');

/** MapLibre's own strings in the current language. */
export function mapLocale(): Record<string, string> {
  return Object.fromEntries(Object.entries(TEXTS[lang])
    .filter(([key]) => key.startsWith('map.'))
    .map(([key, text]) => [key.slice(4), text]));
}
