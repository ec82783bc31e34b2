import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import en from '../src/i18n/en.json';
import vi from '../src/i18n/vi.json';
import { days, number, percent, setLang, weekLabel } from '../src/i18n/index.ts';

test('both languages have the same keys and placeholders', () => {
  assert.deepEqual(Object.keys(vi).sort(), Object.keys(en).sort());
  const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(vi) as (keyof typeof vi)[]) {
    assert.deepEqual(holes(vi[key]), holes(en[key]), key);
    assert.ok(vi[key].trim() && en[key].trim(), key);
    assert.equal(vi[key], vi[key].normalize('NFC'), key);
  }
});

test('every key is used, and every key used exists', () => {
  const walk = (dir: string): string[] => readdirSync(dir, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? walk(join(dir, one.name)) : [join(dir, one.name)]));
  const source = walk('src').filter((name) => name.endsWith('.ts')).map((name) => readFileSync(name, 'utf8')).join('\n') + readFileSync('index.html', 'utf8');
  for (const key of Object.keys(vi)) if (!/^(map|kind|property|season|beside)\./.test(key)) assert.ok(source.includes(`'${key}'`) || source.includes(`"${key}"`), `${key} is not used`);
});

test('MapLibre has no string of its own that we do not say in Vietnamese', () => {
  const own = readFileSync('node_modules/maplibre-gl/src/ui/default_locale.ts', 'utf8');
  const keys = [...own.matchAll(/'([A-Za-z]+\.[A-Za-z]+)':/g)].map((match) => match[1] as string);
  assert.ok(keys.length >= 20, `${keys.length} keys read`);
  for (const key of keys) assert.ok(`map.${key}` in vi, key);
});

test('weeks are said as number and dates, numbers as the language writes them', () => {
  setLang('vi');
  assert.equal(weekLabel('2026-W34'), 'Tuần 34 · 17–23/8/2026');
  assert.equal(days('2026-W53'), '28/12/2026–3/1/2027');
  assert.equal(days('2026-W31'), '27/7–2/8/2026');
  assert.equal(number(0.62), '0,62');
  assert.equal(number(-0.2, 1), '\u22120,2');
  setLang('en');
  assert.equal(weekLabel('2026-W34'), 'Week 34 · 17–23 Aug 2026');
  assert.equal(number(0.62), '0.62');
  setLang('vi');
});

test('nothing and all are said only when they are so', () => {
  assert.equal(percent(0), '0 %');
  assert.equal(percent(0.001), '1 %');
  assert.equal(percent(0.999), '99 %');
  assert.equal(percent(1), '100 %');
});
