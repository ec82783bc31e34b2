// Stories of the map page, each named as the sentence it proves.
import assert from 'node:assert/strict';
import { createServer, request as forward } from 'node:http';
import { pixels } from './page.mjs';

const number = (value, lang) => Number(value.toFixed(2)).toLocaleString(lang === 'vi' ? 'vi-VN' : 'en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace('-', '\u2212');

/** The two weeks seen best, the newer one first, and the centre of the area. */
async function known(page, layer = 'ndvi') {
  const { periods, seen_share: seen, latest } = await page.json(`/api/v1/periods/${layer}`);
  const { bounds } = await page.json(`/${layer}`);
  const best = periods.map((week, i) => [week, seen[i] ?? 1]).sort((a, b) => b[1] - a[1]).slice(0, 2).map(([week]) => week).sort().reverse();
  return { periods, seen, latest, best, lon: (bounds[0] + bounds[2]) / 2, lat: (bounds[1] + bounds[3]) / 2 };
}

/** A plot that was seen in the week, with a point well inside it and its mean. */
async function somePlot(page, week) {
  const { fids, codes, values } = await page.json(`/api/v1/zones/plots/values?collection=ndvi&datetime=${week}`);
  const { features } = await page.json('/api/v1/zones/plots?limit=400');
  const mean = new Map(fids.map((fid, i) => [fid, values[i]]));
  const seen = features.filter((one) => (mean.get(one.id) ?? 0) > 0.1 && mean.get(one.id) < 0.85).sort((a, b) => b.properties.area_ha - a.properties.area_ha);
  assert.ok(seen.length > 0 && codes.length === fids.length, `no plot was seen in ${week}`);
  const [best] = seen;
  const point = await page.json(`/api/v1/zones/plots/${encodeURIComponent(best.properties.code)}?geometry=point`);
  const [lon, lat] = point.geometry.coordinates;
  return { code: best.properties.code, lon, lat, mean: mean.get(best.id) };
}

const slowTiles = (ms) => (tab) => tab.route(/\/(ndvi|evi|ndmi|nbr|mndwi|flood|fire_danger)\/\d+\/\d+\/\d+/, async (route) => {
  await new Promise((done) => setTimeout(done, ms * (0.5 + Math.random())));
  await route.continue().catch(() => undefined);
});

export const stories = {
  'the first view is the newest week, in colour, in Vietnamese, from the own host alone': async (page) => {
    await page.open();
    await page.idle();
    const { latest } = await known(page);
    await page.shows(`ndvi ${latest}`);
    assert.match(await page.text('#week'), new RegExp(`Tuần ${Number(latest.slice(6))}(\\D|$)`));
    assert.equal(await page.tab.evaluate(() => document.documentElement.lang), 'vi');
    await page.picture('desktop-first.png');
    assert.deepEqual(page.foreign, []);
    assert.deepEqual(page.errors, []);
  },

  'a gauge above an alarm level says so first, in its colour, with its course': async (page) => {
    // the week in which some gauge of the demo stood highest
    const { stations } = await page.json('/api/v1/stations');
    const gauges = stations.filter((one) => one.properties.bd3_m !== undefined).map((one) => one.code);
    const { periods } = await page.json('/api/v1/periods/ndvi');
    let top = null;
    for (const code of gauges) for (const week of periods) {
      const { station } = await page.json(`/api/v1/zones/stations/${code}/week/${week}`);
      if (station?.alarm && station.alarm > (top?.alarm ?? 0)) top = { code, week, alarm: station.alarm, level: station.level_m };
    }
    assert.ok(top, 'a gauge of the demo reaches an alarm level');
    await page.open(`#sel=stations:${top.code}&week=${top.week}`);
    await page.tab.waitForSelector('#answer .sentence:not(.skeleton)');
    assert.match(await page.text('#answer .first .sentence'), new RegExp(`BĐ${top.alarm}`));
    assert.equal(await page.tab.getAttribute('#value', 'data-alarm'), String(top.alarm));
    assert.ok((await page.tab.getAttribute('#value', 'class')).includes(`a${top.alarm}`));
    assert.match(await page.text('#value'), new RegExp(number(top.level, 'vi').replace('.', '\\.')));
    await page.tab.waitForSelector('#answer svg.forecast .line');
    assert.doesNotMatch(await page.text('#answer'), /chưa có số liệu/);
    await page.picture('gauge-alarm.png');
  },

  'a well seen week is not a blank picture': async (page) => {
    const { best, lon, lat } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi&sel=${lon},${lat}`);
    await page.shows(`ndvi ${best[0]}`);
    await page.tab.waitForSelector('.chart');
    await page.picture('desktop-answer.png');
    const look = await page.look();
    assert.ok(look.colours.size >= 20, `${look.colours.size} colours`);
  },

  'the server picture is there before the map library has come': async (page) => {
    await page.open('', { route: (tab) => tab.route(/assets\/(maplibre|live)-/, async (route) => { await new Promise((done) => setTimeout(done, 2500)); await route.continue().catch(() => undefined); }) });
    await page.tab.waitForFunction(() => { const image = document.querySelector('#picture'); return image && !image.hidden && image.naturalWidth > 0; }, null, { timeout: 15_000 });
    assert.notEqual(await page.tab.evaluate(() => document.body.dataset.map), 'idle');
    assert.match(await page.text('#week'), /Tuần \d+/);
    await page.picture('first-picture.png');
    await page.idle();
    assert.equal(await page.tab.locator('#picture').isVisible(), false);
  },

  'a change of week shows the old week or the new one, never a blank or a mix': async (page) => {
    const { best } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi`, { route: slowTiles(1500) });
    await page.shows(`ndvi ${best[0]}`);
    const before = (await page.look()).hash;
    const frames = [];
    await page.tab.evaluate(() => {
      window.said = [];
      new MutationObserver(() => window.said.push(document.querySelector('#notice').innerText)).observe(document.querySelector('#notice'), { childList: true, attributes: true });
    });
    await page.tab.evaluate((week) => { location.hash = location.hash.replace(/week=[^&]*/, `week=${week}`); }, best[1]);
    for (let i = 0; i < 40; i += 1) {
      frames.push((await page.look()).hash);
      if (i >= 20 && await page.tab.evaluate((key) => document.body.dataset.shown === key, `ndvi ${best[1]}`)) break;
    }
    await page.shows(`ndvi ${best[1]}`);
    const after = (await page.look()).hash;
    assert.notEqual(before, after, 'both weeks look the same: nothing was proved');
    const other = frames.filter((one) => one !== before && one !== after);
    assert.equal(other.length, 0, `${other.length} of ${frames.length} frames were neither week`);
    assert.ok(frames.includes(before), 'no frame was filmed while the new week loaded');
    assert.ok(frames.lastIndexOf(before) < (frames.indexOf(after) < 0 ? frames.length : frames.indexOf(after)), 'the old week came back');
    assert.match((await page.tab.evaluate(() => window.said)).join('|'), /Đang tải .*đang hiện/);
  },

  'ten fast clicks end on the right week, and superseded tiles are given up': async (page) => {
    const { periods } = await known(page);
    const first = periods[0];
    await page.open(`#week=${first}&layer=ndvi`, { route: slowTiles(400) });
    await page.shows(`ndvi ${first}`);
    const given = [];
    page.tab.on('requestfailed', (request) => given.push(request.url()));
    const steps = Math.min(10, periods.length - 1);
    for (let i = 0; i < steps; i += 1) await page.tab.click('#look-on', { delay: 0 });
    await page.shows(`ndvi ${periods[steps]}`);
    assert.match(await page.hash(), new RegExp(`week=${periods[steps]}`));
    assert.ok(given.some((url) => /\/ndvi\/\d+/.test(url)), 'no superseded tile request was cancelled');
    await page.tab.goBack();
    await page.shows(`ndvi ${periods[steps - 1]}`);
  },

  'a failing tile server keeps the old week and offers another try': async (page) => {
    const { best } = await known(page);
    let broken = false;
    await page.open(`#week=${best[0]}&layer=ndvi`, { route: (tab) => tab.route(/\/ndvi\/\d+\/\d+\/\d+/, (route) => (broken ? route.fulfill({ status: 503, body: 'no' }) : route.continue())) });
    await page.shows(`ndvi ${best[0]}`);
    const before = (await page.look()).hash;
    broken = true;
    await page.tab.evaluate((week) => { location.hash = location.hash.replace(/week=[^&]*/, `week=${week}`); }, best[1]);
    await page.tab.waitForSelector('#notice[data-kind=bad]', { timeout: 8500 });
    assert.match(await page.text('#notice'), /Chưa tải được .*đang hiện/);
    assert.equal(await page.tab.evaluate(() => document.body.dataset.map), 'error');
    assert.equal((await page.look()).hash, before, 'the old week did not stay');
    await page.picture('failed-week.png');
    broken = false;
    await page.tab.click('#notice button');
    await page.shows(`ndvi ${best[1]}`);
    assert.equal(await page.tab.locator('#notice').isVisible(), false);
  },

  'the legend says what the server says, in both languages, for every layer': async (page) => {
    const { tiles } = await page.json('/catalog');
    await page.open();
    await page.idle();
    const rasters = Object.keys(tiles).filter((layer) => tiles[layer].content_type.startsWith('image/'));
    assert.ok(rasters.length >= 5, rasters.join());
    for (const layer of rasters) {
      for (const lang of ['vi', 'en']) {
        const legend = await page.json(`/api/v1/legends/${layer}?lang=${lang}`);
        await page.tab.evaluate((hash) => { location.hash = hash; }, `#layer=${layer}&lang=${lang}`);
        await page.tab.waitForFunction((title) => document.querySelector('#legend h2')?.textContent === title, legend.title);
        const labels = await page.tab.locator('#legend li .label').allInnerTexts();
        for (const entry of legend.entries) assert.ok(labels.includes(entry.title), `${layer} ${lang}: no "${entry.title}" in ${labels}`);
        if (legend.unit_title) assert.ok((await page.text('#legend')).includes(legend.unit_title), `${layer} ${lang}: no unit`);
        for (const tick of legend.ticks ?? []) assert.ok((await page.text('#legend')).includes(number(tick, lang).slice(0, 3)), `${layer} ${lang}: no ${tick}`);
      }
    }
    const { seen_share: seen } = await page.json('/api/v1/periods/ndvi');
    await page.tab.evaluate(() => { location.hash = '#layer=ndvi&lang=vi'; });
    if (seen.at(-1) !== null) {
      const unseen = 100 * (1 - seen.at(-1));
      await page.tab.waitForFunction(() => /chưa thấy/.test(document.querySelector('#unseen-share')?.textContent ?? ''));
      const said = Number((await page.text('#unseen-share')).match(/(\d+) %/)[1]);
      assert.ok(Math.abs(said - unseen) <= 1, `said ${said}, is ${unseen}`);
    }
  },

  'a click says the value of the point answer, with sentence, course, table and CSV': async (page) => {
    const { best } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi&show=`);
    await page.shows(`ndvi ${best[0]}`);
    await page.tab.mouse.click(640, 420);
    await page.tab.waitForSelector('.chart, .chartbox p');
    await page.tab.waitForFunction(() => !document.querySelector('#answer').hasAttribute('aria-busy'));
    const [lon, lat] = (await page.hash()).match(/sel=([^&]*)/)[1].split(',').map(Number);
    const answer = await page.json(`/api/v1/point/${lon.toFixed(6)},${lat.toFixed(6)}?datetime=${best[0]}`);
    const { value } = answer.layers.find((one) => one.collection === 'ndvi');
    const shown = await page.tab.locator('#value').getAttribute('data-value');
    if (value === null) assert.equal(shown, '');
    else {
      assert.equal(Number(shown), value);
      // below the ramp the colour means open water, and the sentence says that instead of a number
      const legend = await page.json('/api/v1/legends/ndvi?lang=vi');
      const words = value < 0 ? legend.entries[0].title : number(value, 'vi');
      assert.ok((await page.text('#answer .sentence')).includes(words), await page.text('#answer .sentence'));
    }
    const course = await page.json(`/api/v1/point/${lon.toFixed(6)},${lat.toFixed(6)}/series?collection=ndvi&datetime=../..`).catch(() => null);
    await page.tab.click('#answer summary');
    const rows = await page.tab.locator('#answer tbody tr').count();
    if (course) assert.equal(rows, course.values.length);
    const dots = await page.tab.locator('.chart circle').count();
    if (course) assert.equal(dots, course.values.filter((one) => one.value !== null).length);
    const [download] = await Promise.all([page.tab.waitForEvent('download'), page.tab.click('#answer details button')]);
    assert.match(download.suggestedFilename(), /^ndvi_.*\.csv$/);
    await page.picture('table.png');
  },

  'the link gives the same view again, and Back undoes choices': async (page) => {
    const { best, lon, lat } = await known(page);
    const link = `#map=12.5/${lat.toFixed(5)}/${lon.toFixed(5)}&week=${best[1]}&layer=flood&lang=en&sel=${lon.toFixed(6)},${lat.toFixed(6)}&show=`;
    await page.open(link);
    await page.idle();
    const hash = await page.hash();
    const read = (text) => Object.fromEntries(new URLSearchParams(text.slice(1)));
    assert.deepEqual({ ...read(hash), map: '' }, { ...read(link), map: '', sel: read(hash).sel });
    const before = (await page.look()).hash;
    await page.tab.reload();
    await page.idle();
    assert.equal((await page.look()).hash, before);
    await page.tab.click('#layers input[value=ndvi]', { force: true });
    await page.tab.waitForFunction(() => location.hash.includes('layer=ndvi'));
    await page.tab.goBack();
    await page.tab.waitForFunction(() => document.querySelector('#layers input:checked')?.value === 'flood');
  },

  'a link to a week that is gone opens the nearest, and says so': async (page) => {
    const { periods } = await known(page);
    await page.open('#week=1999-W20&layer=ndvi');
    await page.shows(`ndvi ${periods[0]}`);
    assert.match(await page.text('#hint'), /Không còn dữ liệu tuần 20/);
  },

  'the language switch changes every text, and nothing of the other language stays': async (page) => {
    const { lon, lat, best } = await known(page);
    await page.open(`#week=${best[0]}&sel=${lon},${lat}`);
    await page.idle();
    await page.tab.waitForSelector('.series');
    const vietnamese = await page.tab.evaluate(() => document.body.innerText + [...document.querySelectorAll('[aria-label]')].map((one) => one.getAttribute('aria-label')).join(' '));
    assert.doesNotMatch(vietnamese, /\b(Week|Layers|Legend|Previous|Next|Zoom|Map|Close|Show|not seen)\b/);
    await page.tab.click('#lang');
    await page.tab.waitForFunction(() => document.documentElement.lang === 'en' && /Week \d/.test(document.querySelector('#week').textContent) && /Show the table/.test(document.querySelector('#answer').textContent));
    await page.tab.waitForTimeout(500);
    const english = await page.tab.evaluate(() => document.body.innerText.replace('Tiếng Việt', ''));
    assert.doesNotMatch(english, /[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/i);
  },

  'the week strip speaks, and the keys walk it': async (page) => {
    const { periods } = await known(page);
    await page.open();
    await page.idle();
    const range = page.tab.locator('#range');
    assert.match(await range.getAttribute('aria-valuetext'), /^Tuần \d+ · .*\d{4}, (thấy|không thấy)/);
    assert.equal(await page.tab.locator('#week-on').isDisabled(), true);
    assert.equal(await page.tab.locator('#look-on').isDisabled(), true);
    await page.tab.keyboard.press('[');
    await page.shows(`ndvi ${periods.at(-2)}`);
    await page.tab.keyboard.press(']');
    await page.shows(`ndvi ${periods.at(-1)}`);
    await range.focus();
    await page.tab.keyboard.press('Home');
    await page.shows(`ndvi ${periods[0]}`);
    assert.equal(await page.tab.locator('#week-back').isDisabled(), true);
    await page.tab.keyboard.press('?');
    assert.equal(await page.tab.locator('#keys').isVisible(), true);
    await page.tab.keyboard.press('Escape');
    assert.equal(await page.tab.locator('#keys').isVisible(), false);
  },

  'play walks to the newest week and stops, or stops on a touch of the map': async (page) => {
    const { periods } = await known(page);
    await page.open(`#week=${periods.at(-3)}&layer=ndvi`);
    await page.shows(`ndvi ${periods.at(-3)}`);
    await page.tab.click('#play');
    await page.shows(`ndvi ${periods.at(-1)}`);
    await page.tab.waitForFunction(() => document.querySelector('#play').getAttribute('aria-pressed') === 'false');
    await page.tab.click('#play');
    await page.tab.waitForFunction(() => document.querySelector('#play').getAttribute('aria-pressed') === 'true');
    await page.tab.mouse.click(640, 420);
    await page.tab.waitForFunction(() => document.querySelector('#play').getAttribute('aria-pressed') === 'false');
  },

  'classes are drawn in the colours of the legend alone': async (page) => {
    const { best, lon, lat } = await known(page, 'flood');
    await page.open(`#map=13/${lat}/${lon}&week=${best[0]}&layer=flood&show=`);
    await page.shows(`flood ${best[0]}`);
    const look = await page.look();
    await page.picture('flood.png');
    const legend = await page.json('/api/v1/legends/flood');
    const ground = [0xf7, 0xf8, 0xf3];
    const over = (entry) => [1, 3, 5].map((at, i) => Math.round(parseInt(entry.colour.slice(at, at + 2), 16) * (entry.opacity ?? 1) + ground[i] * (1 - (entry.opacity ?? 1))));
    const allowed = [ground, ...legend.entries.map(over)];
    let strange = 0;
    for (const [colour, count] of look.colours) {
      const rgb = [colour >> 16, (colour >> 8) & 255, colour & 255];
      if (!allowed.some((one) => one.every((value, i) => Math.abs(value - rgb[i]) <= 2))) strange += count;
    }
    assert.ok(strange / (look.width * look.height) < 0.002, `${strange} of ${look.width * look.height} pixels have other colours`);
    assert.ok([...look.colours.keys()].length >= 2, 'only the ground was drawn');
  },

  'a phone of 360 pixels shows week, strip, legend and answer without sideways scroll': async (page) => {
    const { best } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi&show=`, { size: [360, 740] });
    await page.shows(`ndvi ${best[0]}`);
    const wide = () => page.tab.evaluate(() => [document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && !one.closest('.maplibregl-canvas-container, svg, .scroll')).map((one) => Math.round(one.getBoundingClientRect().right))].reduce((a, b) => Math.max(a, b)));
    assert.ok(await wide() <= 360, `something reaches to ${await wide()} px`);
    await page.picture('phone-first.png');
    const look = await page.look();
    assert.ok(look.colours.size >= 20, `${look.colours.size} colours`);
    await page.tab.touchscreen.tap(180, 300);
    await page.tab.waitForSelector('.series');
    await page.tab.waitForTimeout(600);
    assert.equal(await page.tab.locator('#sheet').getAttribute('data-stop'), 'half');
    assert.ok(await page.tab.locator('#answer .sentence').isVisible());
    assert.ok(await wide() <= 360, `something reaches to ${await wide()} px`);
    await page.picture('phone-answer.png');
    await page.tab.click('#handle');
    await page.tab.waitForTimeout(400);
    await page.picture('phone-full.png');
    await page.tab.locator('#handle').press('Enter');
    await page.tab.waitForFunction(() => document.querySelector('#sheet').dataset.stop === 'peek');
    await page.tab.setViewportSize({ width: 320, height: 640 });
    assert.ok(await page.tab.evaluate(() => document.documentElement.scrollWidth) <= 320);
  },

  'without WebGL2 there is a picture, a sentence and every panel': async (page) => {
    const { best, periods, lon, lat } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi&sel=${lon},${lat}`, { init: () => {
      const own = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function context(kind, ...rest) { return /webgl/.test(kind) ? null : own.call(this, kind, ...rest); };
    } });
    await page.shows(`ndvi ${best[0]}`);
    assert.match(await page.text('#hint'), /không vẽ được bản đồ động/);
    assert.ok((await page.look()).colours.size >= 20);
    await page.tab.waitForSelector('.series');
    await page.tab.keyboard.press('Escape');
    await page.tab.locator('#range').focus();
    await page.tab.keyboard.press('Home');
    await page.shows(`ndvi ${periods[0]}`);
    await page.picture('no-webgl.png');
  },

  'the dark look changes panels and ground, not the data': async (page) => {
    const { best } = await known(page);
    await page.open(`#week=${best[0]}&layer=ndvi`);
    await page.shows(`ndvi ${best[0]}`);
    const top = (look) => [...look.colours].filter(([colour]) => ((colour >> 8) & 255) > ((colour >> 16) & 255) + 25).sort((a, b) => b[1] - a[1]).slice(0, 5).map(([colour]) => colour.toString(16)).sort();
    const before = top(await page.look());
    await page.tab.click('#theme');
    await page.tab.waitForTimeout(500);
    assert.equal(await page.tab.evaluate(() => document.documentElement.dataset.theme), 'dark');
    assert.deepEqual(top(await page.look()), before);
    await page.picture('desktop-dark.png');
  },

  'a tap on a plot says its sentence, its week, its course and what else lies there': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    await page.open(`#map=15/${plot.lat}/${plot.lon}&week=${best[0]}&layer=ndvi`);
    await page.shows(`ndvi ${best[0]}`);
    await page.tab.waitForFunction(() => document.body.dataset.painted?.startsWith('plots'));
    await page.idle();
    const { width, height } = page.tab.viewportSize();
    await page.tab.mouse.click(width / 2, height / 2);
    await page.tab.waitForFunction((code) => new URLSearchParams(location.hash.slice(1)).get('sel') === `plots:${code}`, plot.code);
    await page.tab.waitForFunction(() => !document.querySelector('#answer').hasAttribute('aria-busy') && document.querySelector('#value'));
    const record = await page.json(`/api/v1/zones/plots/${encodeURIComponent(plot.code)}/week/${best[0]}`);
    assert.equal(await page.text('#answer .sentence'), record.sentence.vi);
    const { mean } = record.statistics.ndvi;
    assert.equal(Number(await page.tab.locator('#value').getAttribute('data-value')), mean);
    assert.ok((await page.text('#answer .big')).includes(number(mean, 'vi')));
    await page.tab.waitForSelector('.chart .line');
    const { values } = await page.json(`/api/v1/zones/plots/${encodeURIComponent(plot.code)}/statistics?collection=ndvi`);
    assert.equal(await page.tab.locator('.chart .dot').count(), values.filter((one) => one.mean !== null).length);
    const csv = await (await fetch(await page.tab.locator('.series .links a').evaluate((one) => one.href))).text();
    assert.equal(csv.trim().split('\n').length, values.length + 1);
    await page.picture('plot.png');
    const before = await page.text('#answer');
    await page.tab.reload();
    await page.tab.waitForSelector('.chart .line');
    await page.tab.waitForFunction(() => !document.querySelector('#answer').hasAttribute('aria-busy'));
    assert.equal((await page.text('#answer .sentence')), record.sentence.vi);
    assert.ok(before.length > 0);
    await page.tab.click('#lang');
    await page.tab.waitForFunction((sentence) => document.querySelector('#answer .sentence')?.textContent === sentence, record.sentence.en);
    await page.tab.keyboard.press('Escape');
    await page.tab.waitForFunction(() => !location.hash.includes('sel='));
  },

  'plots carry the colour of their week': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    await page.open(`#map=16/${plot.lat}/${plot.lon}&week=${best[0]}&layer=ndvi`);
    await page.shows(`ndvi ${best[0]}`);
    await page.tab.waitForFunction(() => document.body.dataset.painted?.startsWith('plots'));
    await page.idle();
    await page.tab.waitForTimeout(600);
    const { width, height } = page.tab.viewportSize();
    const { colours } = pixels(await page.tab.screenshot({ clip: { x: width / 2 - 1, y: height / 2 - 1, width: 3, height: 3 } }));
    const [colour] = [...colours].sort((a, b) => b[1] - a[1])[0];
    const { stops } = await page.json('/api/v1/legends/ndvi');
    const at = stops.findIndex((stop) => stop.value >= plot.mean);
    const [low, high] = [stops[at - 1], stops[at]];
    const share = (plot.mean - low.value) / (high.value - low.value);
    const channel = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
    [16, 8, 0].forEach((shift, i) => {
      const wanted = channel(low.colour, i) + share * (channel(high.colour, i) - channel(low.colour, i));
      assert.ok(Math.abs(((colour >> shift) & 255) - wanted) <= 6, `${colour.toString(16)} for ${plot.mean}`);
    });
    await page.picture('plots-coloured.png');
  },

  'search finds a plot, a commune and a place, with or without accents, by keys alone': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    const { features: [commune] } = await page.json('/api/v1/zones/admin_units?limit=1&geometry=point');
    const plain = commune.properties.name.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/g, 'd').replace(/Đ/g, 'D').toLowerCase();
    await page.open(`#week=${best[0]}`);
    await page.idle();
    const sel = () => page.tab.evaluate(() => new URLSearchParams(location.hash.slice(1)).get('sel'));
    for (const [text, wanted] of [[plot.code.toLowerCase().replace('-', ' '), `plots:${plot.code}`], [plain, `admin_units:${commune.properties.code}`], [commune.properties.name, `admin_units:${commune.properties.code}`]]) {
      await page.tab.keyboard.press('/');
      await page.tab.fill('#q', text);
      await page.tab.waitForFunction(() => document.querySelector('#hits button'));
      await page.picture('search.png');
      await page.tab.keyboard.press('Enter');
      await page.tab.waitForFunction((one) => new URLSearchParams(location.hash.slice(1)).get('sel') === one, wanted);
    }
    await page.idle();
    await page.tab.waitForTimeout(900);
    await page.picture('commune.png');
    await page.tab.keyboard.press('/');
    await page.tab.fill('#q', `${plot.lat.toFixed(5)}, ${plot.lon.toFixed(5)}`);
    await page.tab.waitForFunction(() => document.querySelector('#hits button[data-kind=coordinates]'));
    await page.tab.keyboard.press('ArrowDown');
    await page.tab.keyboard.press('Enter');
    await page.tab.waitForFunction(() => !(new URLSearchParams(location.hash.slice(1)).get('sel') ?? ':').includes(':'));
    const [lon, lat] = (await sel()).split(',').map(Number);
    assert.ok(Math.abs(lon - plot.lon) < 1e-4 && Math.abs(lat - plot.lat) < 1e-4);
    await page.tab.fill('#q', 'không có đâu xyz');
    await page.tab.waitForFunction(() => /Không tìm thấy/.test(document.querySelector('#hits').textContent));
    assert.deepEqual(page.errors, []);
  },

  'zones, lines and stations are switched on and off, and the link keeps them': async (page) => {
    await page.open();
    await page.idle();
    const kinds = (await page.json('/api/v1/zones')).kinds.map((one) => one.kind);
    assert.equal(await page.tab.locator('#kinds input').count(), kinds.length);
    for (const kind of ['admin_units', 'dyke_compartments'].filter((one) => kinds.includes(one))) {
      const before = (await page.look()).hash;
      await page.tab.locator(`#kinds input[value=${kind}]`).check();
      await page.tab.waitForFunction((one) => location.hash.includes(one), kind);
      await page.tab.waitForTimeout(300);
      await page.idle();
      for (let i = 0; i < 20 && (await page.look()).hash === before; i += 1) await page.tab.waitForTimeout(250);
      assert.notEqual((await page.look()).hash, before, `${kind} is not drawn`);
    }
    await page.picture('zones.png');
    const hash = await page.hash();
    await page.tab.reload();
    await page.idle();
    assert.equal(await page.tab.locator('#kinds input[value=admin_units]').isChecked(), true);
    assert.equal(new URLSearchParams((await page.hash()).slice(1)).get('show'), new URLSearchParams(hash.slice(1)).get('show'));
  },

  'a plot on a phone answers within the screen': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    await page.open(`#map=15.5/${plot.lat}/${plot.lon}&week=${best[0]}&sel=plots:${plot.code}`, { size: [360, 740] });
    await page.tab.waitForSelector('#value');
    await page.tab.waitForFunction(() => !document.querySelector('#answer').hasAttribute('aria-busy'));
    await page.tab.waitForTimeout(800);
    await page.picture('phone-plot.png');
    await page.tab.setViewportSize({ width: 320, height: 640 });
    assert.ok(await page.tab.evaluate(() => document.documentElement.scrollWidth) <= 320);
    const wide = await page.tab.evaluate(() => [...document.querySelectorAll('#bar *, #answer *')].filter((one) => one.checkVisibility() && !one.closest('svg, .scroll')).map((one) => Math.round(one.getBoundingClientRect().right)).reduce((a, b) => Math.max(a, b), 0));
    assert.ok(wide <= 320, `something reaches to ${wide} px`);
    await page.tab.fill('#q', plot.code);
    await page.tab.waitForFunction(() => document.querySelector('#hits button'));
    await page.picture('phone-search.png');
  },

  'a code has a page that needs no script, fits 320 pixels and prints': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    await page.open('', { size: [320, 700], path: `zones/plots/${encodeURIComponent(plot.code)}`, script: false });
    assert.match(await page.text('.sentence'), /Tuần \d+ \(/);
    assert.ok(await page.tab.locator('svg.chart circle').count() > 3);
    const wide = await page.tab.evaluate(() => document.documentElement.scrollWidth).catch(() => null);
    assert.ok(wide === null || wide <= 320, `${wide} px wide`);
    await page.tab.screenshot({ path: page.pathOf('code-phone.png'), fullPage: true });
    await page.tab.setViewportSize({ width: 1000, height: 900 });
    await page.tab.screenshot({ path: page.pathOf('code.png'), fullPage: true });
    await page.tab.emulateMedia({ media: 'print' });
    assert.equal(await page.tab.locator('h2.screen').isVisible(), false);
    const pdf = await page.tab.pdf({ format: 'A4' });
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g).length;
    assert.ok(pages <= 2, `${pages} pages`);
    await page.tab.emulateMedia({ media: 'screen' });
    await page.tab.click('a[hreflang=en]');
    assert.match(await page.text('.sentence'), /Week \d+ \(/);
    assert.deepEqual(page.foreign, []);
  },

  'a ranger on a phone reads the level of a forest block, whose table it is, and what burned': async (page) => {
    const fires = await page.json('/api/v1/fires?datetime=2026-W32&burning=forest');
    const [fire] = fires.features;
    const { features } = await page.json('/api/v1/zones/forest_blocks?geometry=point&limit=100');
    const [lon, lat] = fire.geometry.coordinates[0][0][0];
    const far = (one) => Math.hypot(one.geometry.coordinates[0] - lon, one.geometry.coordinates[1] - lat);
    const block = features.sort((a, b) => far(a) - far(b))[0];
    const [x, y] = block.geometry.coordinates;
    const week = await page.json(`/api/v1/zones/forest_blocks/${block.properties.code}/week/2026-W32`);
    await page.open(`#map=13.5/${y}/${x}&week=2026-W32&layer=fire_danger&show=forest_blocks,hotspots&sel=forest_blocks:${block.properties.code}&lang=vi`, { size: [360, 740] });
    await page.shows('fire_danger 2026-W32');
    await page.tab.waitForSelector('#fire');
    assert.equal(await page.text('#fire'), week.fire.sentence.vi);
    assert.ok((await page.text('#answer')).includes(week.fire.citation.vi), 'the citation is not shown');
    assert.equal(await page.tab.locator('.levels .level').count(), week.fire.days.length);
    assert.match(await page.text('#legend'), /Cấp IV/);
    await page.picture('phone-forest.png');
    assert.ok(await page.tab.evaluate(() => document.documentElement.scrollWidth) <= 360);
    const [code] = fire.properties.hotspots;
    await page.open(`#map=14/${lat}/${lon}&week=2026-W32&layer=fire_danger&show=forest_blocks,hotspots&sel=hotspots:${code}&lang=en`);
    await page.shows('fire_danger 2026-W32');
    await page.tab.waitForSelector('#value[data-value=forest]');
    assert.match(await page.text('#answer'), /VIIRS|MODIS/);
    await page.picture('hotspot.png');
    // the week paints the blocks; what burns in them is drawn over that colour
    const red = (await page.look()).colours.get(0xd7301f) ?? 0;
    assert.ok(red >= 200, `${red} pixels in the colour of hot spots`);
    assert.deepEqual(page.errors, []);
  },

  'the breach is seen: its compartment says why it is wet, among kinds of water that the legend names': async (page) => {
    const { zones } = await page.json('/api/v1/zones/dyke_compartments/inundation?datetime=2026-W42&class=dyke_overtopping_or_breach');
    assert.equal(zones.length, 1, 'one dyke is broken');
    const [{ code }] = zones;
    const { geometry } = await page.json(`/api/v1/zones/dyke_compartments/${code}?geometry=point`);
    const [lon, lat] = geometry.coordinates;
    const week = await page.json(`/api/v1/zones/dyke_compartments/${code}/week/2026-W42`);
    await page.open(`#map=12.5/${lat}/${lon}&week=2026-W42&layer=flood&show=dyke_compartments&sel=dyke_compartments:${code}&lang=vi`);
    await page.shows('flood 2026-W42');
    await page.tab.waitForFunction((words) => document.querySelector('#answer')?.innerText.includes(words), week.sentence.vi);
    // clouds hid the plants, radar saw the water: the number of the flood map is judged by what the flood map saw
    const { ndvi, flood } = week.statistics;
    assert.ok(ndvi.seen < 0.2 && ndvi.trust.level === 'low', `NDVI saw ${ndvi.seen}, ${ndvi.trust.level}`);
    assert.equal(flood.trust.level, 'high');
    const line = await page.text('#answer .trust');
    assert.ok(line.includes(flood.trust.words.vi) && !line.includes(ndvi.trust.words.vi), line);
    const legend = await page.json('/api/v1/legends/flood?lang=vi');
    const shown = await page.text('#legend');
    for (const { title } of legend.entries.filter(({ value }) => value <= 5)) assert.ok(shown.includes(title), `${title} is not in the legend`);
    await page.picture('breach.png');
    await page.open(`#map=11/${lat}/${lon}&week=2026-W36&layer=flood&lang=en`);
    await page.shows('flood 2026-W36');
    await page.picture('river-flood.png');
    assert.deepEqual(page.errors, []);
  },

  'layers, legend and kinds are in sight together, and each can be reached to its end': async (page) => {
    for (const size of [[1440, 900], [1280, 720]]) {
      await page.open('#week=2026-W42&layer=flood&show=dyke_compartments,canals&lang=vi', { size });
      await page.shows('flood 2026-W42');
      await page.tab.waitForSelector('#causes');
      await page.picture(`panels-${size[1]}.png`);
      const boxes = await page.tab.evaluate(() => ['layers', 'legend', 'kinds', 'time'].map((id) => {
        const { top, bottom } = document.getElementById(id).getBoundingClientRect();
        return { id, top, bottom };
      }));
      boxes.forEach(({ id, top, bottom }, index) => {
        assert.ok(bottom - top >= 100, `${id} is ${bottom - top} pixels high at ${size}`);
        if (index > 0) assert.ok(top >= boxes[index - 1].bottom, `${id} lies over ${boxes[index - 1].id} at ${size}`);
      });
      // what is chosen is in sight without a touch
      const chosen = await page.tab.locator('#layers label:has(:checked)').boundingBox();
      assert.ok(chosen.y >= boxes[0].top && chosen.y + chosen.height <= boxes[0].bottom, `the chosen layer is out of sight at ${size}`);
      // the last of each can be scrolled to, and then lies under nothing
      for (const selector of ['#layers label', '#causes li', '#kinds label']) {
        const last = page.tab.locator(selector).last();
        await last.scrollIntoViewIfNeeded();
        const free = await last.evaluate((one) => {
          const { x, y, width, height } = one.getBoundingClientRect();
          return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        });
        assert.ok(free, `the last ${selector} is covered at ${size}`);
      }
    }
    assert.deepEqual(page.errors, []);
  },

  'without scripts the page shows a picture and the way to every zone': async (page) => {
    await page.open('', { script: false });
    const drawn = () => page.tab.locator('#noscript img').evaluate((one) => one.complete && one.naturalWidth > 0);
    for (let tries = 0; !(await drawn()); tries += 1) {
      assert.ok(tries < 100, 'the picture has come within 10 s');
      await new Promise((done) => setTimeout(done, 100));
    }
    await page.picture('no-script.png');
    await page.tab.click('#noscript a[href="./zones"]');
    await page.tab.click('main table a >> nth=0');
    await page.tab.fill('input[name=q]', '1');
    await page.tab.click('main form button');
    await page.tab.waitForURL(/[?&]q=1/);
    await page.tab.waitForSelector('main table tbody tr');
    await page.picture('zones-list.png');
  },

  'behind a proxy with a path everything stays below the path': async (page) => {
    const { best } = await known(page);
    const plot = await somePlot(page, best[0]);
    const asked = [];
    const there = new URL(page.base);
    const proxy = createServer((request, response) => {
      asked.push(request.url);
      if (!request.url.startsWith('/sen/')) { response.writeHead(404).end(); return; }
      const onward = forward({ host: there.hostname, port: there.port, path: request.url.slice(4), method: request.method, headers: { ...request.headers, host: there.host } }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.writeHead(502).end());
      request.pipe(onward);
    });
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
    const own = page.base;
    try {
      page.base = `http://127.0.0.1:${proxy.address().port}`;
      await page.open(`sen/#map=14/${plot.lat}/${plot.lon}&week=${best[0]}&sel=plots:${plot.code}`);
      await page.shows(`ndvi ${best[0]}`);
      await page.tab.waitForSelector('.chart .line');
      assert.deepEqual(asked.filter((one) => !one.startsWith('/sen/')), []);
      assert.ok(asked.some((one) => /^\/sen\/plots\/\d+/.test(one)), 'no vector tile was asked for');
      const link = await page.tab.locator('#answer .links a').last().evaluate((one) => one.href);
      assert.ok(link.startsWith(`${page.base}/sen/zones/plots/`), link);
    } finally {
      page.base = own;
      await page.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  },

  'the neighbouring weeks are fetched quietly once the map is idle': async (page) => {
    const { periods } = await known(page);
    const [before, now] = periods.slice(-2);
    await page.open(`#week=${now}&layer=ndvi&show=`);
    await page.shows(`ndvi ${now}`);
    assert.ok(!page.requests.some((url) => new RegExp(`/ndvi/\\d+/.*${before}`).test(url)), 'asked before the map was idle');
    await page.tab.waitForFunction(() => Number(document.body.dataset.preloaded) > 0);
    assert.ok(page.requests.some((url) => new RegExp(`/ndvi/\\d+/.*${before}`).test(url)));
    await page.tab.evaluate(() => performance.clearResourceTimings());
    await page.tab.click('#week-back');
    await page.shows(`ndvi ${before}`);
    const sizes = await page.tab.evaluate((week) => performance.getEntriesByType('resource').filter((one) => /\/ndvi\/\d+\//.test(one.name) && one.name.includes(week)).map((one) => one.transferSize), before);
    assert.ok(sizes.length > 0 && sizes.every((size) => size === 0), `tiles came over the line again: ${sizes}`);
  },

  'the page is small: shell and own script within the budget': async (page) => {
    await page.open();
    await page.idle();
    // what crosses the line, compressed as the server sends it
    const own = await page.tab.evaluate(() => performance.getEntriesByType('resource')
      .filter((one) => /assets\/(index|live)-[^/]*\.js$/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0));
    assert.ok(own > 0 && own <= 60_000, `own script ${own} bytes`);
  },
};
