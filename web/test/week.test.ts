import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addWeeks, isWeek, monday, nearest, weekOf, weekRange, weeksBetween } from '../src/week.ts';

// Dates by Python 3.11 datetime.isocalendar().
test('a week begins on its Monday, also where years meet', () => {
  assert.equal(monday('2026-W34')?.toISOString().slice(0, 10), '2026-08-17');
  assert.equal(monday('2020-W53')?.toISOString().slice(0, 10), '2020-12-28');
  assert.equal(monday('2021-W01')?.toISOString().slice(0, 10), '2021-01-04');
  assert.equal(weekOf(new Date('2027-01-03')), '2026-W53');
  assert.equal(weekOf(new Date('2024-12-30')), '2025-W01');
});

test('a week that does not exist is no week', () => {
  for (const text of ['2025-W53', '2026-W00', '2026-W54', '2026-34', '2026-W3', '', 'latest']) assert.equal(isWeek(text), false, text);
});

test('steps and distances cross the year', () => {
  assert.equal(addWeeks('2020-W53', 1), '2021-W01');
  assert.equal(addWeeks('2026-W01', -1), '2025-W52');
  assert.equal(weeksBetween('2020-W52', '2021-W02'), 3);
  assert.deepEqual(weekRange('2020-W52', '2021-W01'), ['2020-W52', '2020-W53', '2021-W01']);
  assert.deepEqual(weekRange('2021-W02', '2021-W01'), []);
});

test('the nearest week is found, the older of two', () => {
  assert.equal(nearest(['2026-W10', '2026-W14'], '2026-W12'), '2026-W10');
  assert.equal(nearest(['2026-W10', '2026-W14'], '2027-W12'), '2026-W14');
  assert.equal(nearest([], '2026-W12'), null);
});
