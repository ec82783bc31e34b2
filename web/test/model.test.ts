import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLegend, tileAddress } from '../src/api.ts';
import { fit, placeAt, seenBox } from '../src/camera.ts';
import { Weeks } from '../src/model.ts';

const weeks = new Weeks({ collection: 'ndvi', periods: ['2026-W10', '2026-W11', '2026-W14'], seen_share: [0.5, null, 1], versions: ['a', 'b', 'c'], latest: '2026-W14' });

test('weeks without a look are on the strip, steps end at its ends', () => {
  assert.deepEqual(weeks.all, ['2026-W10', '2026-W11', '2026-W12', '2026-W13', '2026-W14']);
  assert.equal(weeks.seen('2026-W12'), 0);
  assert.equal(weeks.seen('2026-W11'), null);
  assert.equal(weeks.step('2026-W14', 1), null);
  assert.equal(weeks.step('2026-W11', 1), '2026-W12');
  assert.equal(weeks.look('2026-W11', 1), '2026-W14');
  assert.equal(weeks.look('2026-W13', -1), '2026-W11');
  assert.equal(weeks.look('2026-W10', -1), null);
});

test('the newest week is the default, a week that is gone gives the nearest', () => {
  assert.equal(weeks.resolve(null), '2026-W14');
  assert.equal(weeks.resolve('2026-W12'), '2026-W12');
  assert.equal(weeks.resolve('2020-W01'), '2026-W10');
  assert.equal(weeks.resolve('2031-W01'), '2026-W14');
  assert.equal(new Weeks({ collection: 'x', periods: [], seen_share: [], latest: null }).resolve(null), null);
});

test('a tile address names week and version, on the own host', () => {
  assert.equal(tileAddress('http://inner:1/ndvi/{z}/{x}/{y}?datetime=2026-W14&v=old', '2026-W10', 'a', 'https://map.example/'), 'https://map.example/ndvi/{z}/{x}/{y}?datetime=2026-W10&v=a');
  assert.equal(tileAddress('http://inner:1/ndvi/{z}/{x}/{y}', '2026-W10', '', 'https://map.example/sen/'), 'https://map.example/sen/ndvi/{z}/{x}/{y}?datetime=2026-W10');
});

test('a legend keeps classes, what was not seen and what is old apart', () => {
  const raw = { kind: 'classes', title: 'Nước', unit: '', unit_title: '', entries: [
    { value: 1, colour: '#2166ac', opacity: 1, title: 'Nước' },
    { value: 251, colour: '#bdbdbd', opacity: 0.6, title: 'Nhà cửa', state: 'not_seen' },
    { value: 253, colour: '#d9d9d9', opacity: 0.6, title: 'Mây che', state: 'not_seen' },
  ] };
  const legend = readLegend(raw, 'vi');
  assert.equal(legend.classed, true);
  assert.deepEqual(legend.classes.map((one) => [one.value, one.color, one.label]), [[1, '#2166ac', 'Nước']]);
  assert.deepEqual(legend.notSeen.map((one) => [one.value, one.color, one.label]), [[251, '#bdbdbd99', 'Nhà cửa'], [253, '#d9d9d999', 'Mây che']]);
  const ramp = readLegend({ kind: 'ramp', title: 'NDVI', unit: '', stops: [{ value: 0, colour: '#ffffe5' }, { value: 0.9, colour: '#004529' }], ticks: [0, 0.9] }, 'vi');
  assert.equal(ramp.classed, false);
  assert.deepEqual(ramp.stops.map((one) => one.value), [0, 0.9]);
});

test('the whole area fits between the panels, and pixels find their place', () => {
  const size = { width: 360, height: 740 };
  const padding = { left: 12, right: 12, top: 68, bottom: 196 };
  const camera = fit([105.4, 10.3, 105.7, 10.6], size, padding);
  const topLeft = placeAt(camera, size, 12, 68);
  assert.ok(topLeft.lon <= 105.4 + 1e-9 && topLeft.lat >= 10.6 - 1e-9);
  const [w, s, e, n] = seenBox(camera, size);
  const corner = placeAt(camera, size, 0, 740);
  assert.ok(Math.abs(corner.lon - w) < 1e-9 && Math.abs(corner.lat - s) < 1e-9 && e > 105.7 && n > 10.6);
});
