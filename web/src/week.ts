// ISO 8601 weeks written as `2026-W34`. Pure date arithmetic in UTC: a week names local days, never instants.

export type Week = string;

const DAY_MS = 86_400_000;
const FORM = /^(\d{4})-W(\d{2})$/;

/** Monday of the week, as UTC midnight; null when the text names no week. */
export function monday(week: Week): Date | null {
  const match = FORM.exec(week);
  if (!match) return null;
  const year = Number(match[1]);
  const number = Number(match[2]);
  const fourth = Date.UTC(year, 0, 4);
  const first = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS;
  const date = new Date(first + (number - 1) * 7 * DAY_MS);
  // Week 53 of a year with 52 weeks, and week 0, are weeks of another year: no such week.
  return number >= 1 && weekOf(date) === week ? date : null;
}

/** The week that holds a UTC date. */
export function weekOf(date: Date): Week {
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  const thursday = new Date(day + (3 - ((new Date(day).getUTCDay() + 6) % 7)) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const number = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS));
  return `${String(year).padStart(4, '0')}-W${String(number).padStart(2, '0')}`;
}

export const isWeek = (text: string): boolean => monday(text) !== null;

/** The week `count` weeks later (earlier when negative). */
export function addWeeks(week: Week, count: number): Week {
  const start = monday(week);
  if (!start) throw new RangeError(`${week} is not a week`);
  return weekOf(new Date(start.getTime() + count * 7 * DAY_MS));
}

/** How many weeks `b` lies after `a`. */
export function weeksBetween(a: Week, b: Week): number {
  const from = monday(a);
  const to = monday(b);
  if (!from || !to) throw new RangeError(`${a}/${b} is not a pair of weeks`);
  return Math.round((to.getTime() - from.getTime()) / (7 * DAY_MS));
}

/** Every week from `first` to `last`, both included. */
export function weekRange(first: Week, last: Week): Week[] {
  return Array.from({ length: Math.max(0, weeksBetween(first, last) + 1) }, (_, i) => addWeeks(first, i));
}

export const weekNumber = (week: Week): number => Number(week.slice(6));
export const weekYear = (week: Week): number => Number(week.slice(0, 4));

/** Monday and Sunday. */
export function weekDays(week: Week): [Date, Date] {
  const start = monday(week);
  if (!start) throw new RangeError(`${week} is not a week`);
  return [start, new Date(start.getTime() + 6 * DAY_MS)];
}

/** The member of `weeks` (oldest first) nearest to `week`; of two equally near the older one. */
export function nearest(weeks: Week[], week: Week): Week | null {
  let best: Week | null = null;
  for (const one of weeks) {
    if (!best || Math.abs(weeksBetween(week, one)) < Math.abs(weeksBetween(week, best))) best = one;
  }
  return best;
}
