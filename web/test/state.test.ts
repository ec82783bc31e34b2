import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, formatHash, parseHash, START, type State } from '../src/state.ts';

const full: State = { map: { zoom: 11.25, lat: 10.48761, lon: 105.61234 }, week: '2026-W34', layer: 'flood', lang: 'en', sel: { lon: 105.601234, lat: 10.4 }, zone: null, show: ['plots', 'stations'] };

test('the link reads back what was written', () => {
  assert.equal(formatHash(full), '#map=11.25/10.48761/105.61234&week=2026-W34&layer=flood&lang=en&sel=105.601234,10.4');
  assert.deepEqual(parseHash(formatHash(full)), full);
  assert.deepEqual(parseHash(formatHash(START)), START);
});

test('a zone and its code in any letters come back from the link', () => {
  for (const code of ['DT-000001', 'VN–DTOR 0001', '82-01/0001:002', 'Ô bao số 5, ấp 3', '100%', 'a&b=c#d', '+84']) {
    const state: State = { ...full, sel: null, zone: { kind: 'growing_areas', code }, show: ['canals'] };
    assert.deepEqual(parseHash(formatHash(state)), state, code);
    assert.match(formatHash(state), /&show=canals$/);
  }
  assert.deepEqual(parseHash(formatHash({ ...full, show: [] })).show, []);
});

test('a link escaped by a messenger reads the same', () => {
  assert.deepEqual(parseHash('#map=11.25%2F10.48761%2F105.61234&week=2026-W34&layer=flood&lang=en&sel=105.601234%2C10.4'), full);
});

test('any link opens: nonsense keeps the starting value', () => {
  for (const hash of ['', '#', '#foo', '#map=99/1/1', '#map=1/NaN/2', '#week=2025-W53', '#layer=../x', '#lang=fr', '#sel=1', '#sel=,', '#map=a/b/c&week=x&layer=&lang=&sel=999,1']) {
    assert.deepEqual(parseHash(hash), START, hash);
  }
});

test('only what differs is told', () => {
  assert.deepEqual(difference(full, { ...full, map: { ...full.map! } }), new Set());
  assert.deepEqual(difference(full, { ...full, week: null, sel: null }), new Set(['week', 'sel']));
});
