// Geometry of the weekly chart, apart from the page so that it can be tested: scales, the line with its gaps, ticks.

import { weeksBetween, type Week } from './week.ts';

export interface Point { week: Week; value: number | null; /** Less than half of it was seen. */ partly: boolean }
export interface Frame { width: number; height: number; left: number; right: number; top: number; bottom: number }
export interface Scale { x: (week: Week) => number; y: (value: number) => number }

export function scale(frame: Frame, first: Week, last: Week, low: number, high: number): Scale {
  const weeks = Math.max(1, weeksBetween(first, last));
  const width = frame.width - frame.left - frame.right;
  const height = frame.height - frame.top - frame.bottom;
  return {
    x: (week) => frame.left + (weeksBetween(first, week) / weeks) * width,
    y: (value) => frame.top + (1 - (value - low) / (high - low)) * height,
  };
}

/** Runs of neighbouring weeks that were all seen: a week without a look ends a run. */
export function runs(points: Point[]): Point[][] {
  const all: Point[][] = [];
  let run: Point[] = [];
  for (const point of points) {
    const before = run[run.length - 1];
    if (point.value === null || (before && weeksBetween(before.week, point.week) > 1)) {
      if (run.length) all.push(run);
      run = [];
    }
    if (point.value !== null) run.push(point);
  }
  if (run.length) all.push(run);
  return all;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** The SVG path of the runs; a run of one point draws nothing here, its dot does. */
export function path(points: Point[], to: Scale): string {
  return runs(points)
    .filter((run) => run.length > 1)
    .map((run) => run.map((p, i) => `${i ? 'L' : 'M'}${round(to.x(p.week))} ${round(to.y(p.value as number))}`).join(''))
    .join('');
}

/** Round axis values that hold all data, with a step of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count = 4): number[] {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The table as CSV with a point as decimal mark, which every program reads. */
export function csv(header: string[], rows: (string | number | null)[][]): string {
  const cell = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}
