import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, path, runs, scale, ticks, type Point } from '../src/chart.ts';

const point = (week: string, value: number | null): Point => ({ week, value, partly: false });
const frame = { width: 100, height: 100, left: 0, right: 0, top: 0, bottom: 0 };

test('a week without a look breaks the line, whether it is null or not listed', () => {
  const points = [point('2026-W01', 0), point('2026-W02', 1), point('2026-W03', null), point('2026-W04', 0.5), point('2026-W06', 0.5), point('2026-W07', 0)];
  assert.deepEqual(runs(points).map((run) => run.map((one) => one.week.slice(6))), [['01', '02'], ['04'], ['06', '07']]);
  const to = scale(frame, '2026-W01', '2026-W11', 0, 1);
  assert.equal(path(points, to), 'M0 100L10 0M50 50L60 100');
});

test('an empty course draws nothing', () => {
  assert.equal(path([], scale(frame, '2026-W01', '2026-W02', 0, 1)), '');
  assert.deepEqual(runs([point('2026-W01', null)]), []);
});

test('axis values are round and hold the data', () => {
  assert.deepEqual(ticks(0, 0.87), [0, 0.5, 1]);
  assert.deepEqual(ticks(-0.2, 0.7), [-0.5, 0, 0.5, 1]);
  for (const [low, high] of [[0, 0.2], [-0.31, 0.02], [3, 3], [0, 1234]] as [number, number][]) {
    const all = ticks(low, high);
    assert.ok((all[0] as number) <= low && (all.at(-1) as number) >= high && all.length >= 2 && all.length <= 8, `${low} ${high}: ${all}`);
  }
});

test('the table leaves as CSV with quotes where needed', () => {
  assert.equal(csv(['week', 'value'], [['2026-W01', 0.5], ['a,"b"', null]]), 'week,value\r\n2026-W01,0.5\r\n"a,""b""",\r\n');
});
