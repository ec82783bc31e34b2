// The page: one State, one `apply`. Order of the first view: shell, the server's picture, panels, then the live map.

import './style.css';
import type { Catalog, Legend, TileJson } from './api.ts';
import { belowRoot, causes, column, kinds as askKinds, picturePath, root, tileAddress, type Hit, type Kind, type ZoneFeature } from './api.ts';
import { fit, pixelOf, placeAt, seenBox, type Box, type Padding, type Size } from './camera.ts';
import { byId, el, icon } from './dom.ts';
import { setLang, t, weekInSentence, percent, weekShort, type TextKey } from './i18n/index.ts';
import { catalogOf, forgetWeeks, legendOf, tileJsonOf, weeksOf, type Weeks } from './model.ts';
import { BANKS, CAUSES, COMPARTMENTS, isBanks, shareClass } from './kinds.ts';
import type { Live } from './map/live.ts';
import type { Progress, Wanted } from './map/weeks.ts';
import type { Found } from './map/zones.ts';
import { AnswerPanel } from './panel/answer.ts';
import { watchKeys } from './panel/keys.ts';
import { drawKinds, drawLayers, layersOf, layerShort } from './panel/layers.ts';
import { drawLegend, drawMore } from './panel/legend.ts';
import { Notices } from './panel/notice.ts';
import { watchSearch } from './panel/search.ts';
import { openSheet, watchSheet } from './panel/sheet.ts';
import { TimePanel } from './panel/time.ts';
import { ZonePanel } from './panel/zone.ts';
import { Player } from './play.ts';
import { Preloader } from './preload.ts';
import { assetOf, collectionOf, formatHash, START, Store, type Camera, type Key, type Lang, type State } from './state.ts';
import { recall, remember, theme, watchTheme } from './theme.ts';
import { addWeeks, weeksBetween, type Week } from './week.ts';

const HOME: Box = [105.2, 10.1, 106, 10.9];
/** Longest course drawn: two years. */
const CHART_WEEKS = 104;

let catalog: Catalog = { tiles: {} };
let weeks: Weeks | null = null;
let week: Week | null = null;
let legend: Legend | null = null;
/** The legend of the collection's main layer: what answers are told by, also while a layer beside it is drawn. */
let told: Legend | null = null;
let area: Box = HOME;
let live: Live | null = null;
/** Set where the live map cannot be: the server's pictures take its place. */
let still = false;
let turn = 0;
let kinds: Kind[] = [];
/** What lay under the last tap. */
let found: Found[] = [];
/** The zone whose outline is on the map. */
let marked = '';

const notices = new Notices();
const lang = (): Lang => store.state.lang;
const size = (): Size => ({ width: innerWidth, height: innerHeight });
const wide = (): boolean => innerWidth >= 768;

/** What the panels cover. */
const padding = (): Padding => wide()
  ? { left: 336, right: innerWidth >= 1200 ? 416 : 16, top: 24, bottom: 150 }
  : { left: 12, right: 12, top: 68, bottom: 196 };

/** What they cover while an answer is open. */
const covered = (): Padding => ({ ...padding(), right: wide() ? byId('answer').offsetWidth + 32 : 12, bottom: wide() ? 150 : innerHeight * 0.56 + 16 });

const camera = (): Camera => store.state.map ?? fit(area, size(), padding());

const mark = (word: 'idle' | 'loading' | 'error'): void => { document.body.dataset.map = word; };

const time = new TimePanel({ choose: (next, how) => { player.stop(); store.set({ week: next }, how); }, play: () => player.toggle() });
const answer = new AnswerPanel((next) => store.set({ week: next }), () => store.set({ sel: null, zone: null }),
  // A copied link names the week and the view even where the page follows the newest.
  () => new URL(formatHash({ ...store.state, week, map: live?.camera() ?? camera() }), location.href).href);
const zonePanel = new ZonePanel({
  week: (next) => store.set({ week: next }),
  close: () => store.set({ sel: null, zone: null }),
  zone: (zone) => store.set({ zone, sel: null }),
  known: (feature) => showZone(feature),
  copy: () => answer.copyButton(),
});
const preloader = new Preloader();
const player = new Player({
  next: () => (weeks && week ? weeks.look(week, 1) : null),
  first: () => weeks?.looks[0] ?? null,
  go: (next) => store.set({ week: next }, 'replace'),
  changed: () => drawTime(),
});

function apply(state: State, changed: Set<Key>): void {
  if (changed.has('lang')) speak();
  if (changed.has('layer')) void openLayer(state);
  else if (changed.has('week')) openWeek(state);
  if (changed.has('lang') && !changed.has('layer')) void reread();
  if (changed.has('show')) showKinds();
  if (changed.has('sel') || changed.has('zone')) {
    live?.select(state.sel);
    if (!state.zone) unmark();
    if (state.sel || state.zone) openSheet();
    if (state.sel) live?.reveal(state.sel, covered());
    drawAnswer();
  }
  if (changed.has('map') && state.map && live) {
    const now = live.camera();
    if (Math.abs(now.lon - state.map.lon) > 1e-5 || Math.abs(now.lat - state.map.lat) > 1e-5 || Math.abs(now.zoom - state.map.zoom) > 0.01) live.jump(state.map);
  } else if (changed.has('map') && still) void drawStill();
}

const store = new Store({ ...START, lang: recall('lang') === 'en' ? 'en' : 'vi' }, apply);

/** Outlines a zone and brings it into view when it is chosen anew. */
function showZone(feature: ZoneFeature): void {
  const key = `${feature.properties.kind}:${feature.properties.code}`;
  if (key === marked || !live) return;
  marked = key;
  live.mark(feature);
  if (feature.bbox && live.hides(feature.bbox, covered())) live.fly(feature.bbox, covered());
}

function unmark(): void {
  marked = '';
  live?.mark(null);
}

function showKinds(): void {
  drawKinds(kinds, store.state.show, (show) => store.set({ show }));
  void drawZones();
}

/** Draws the layers of zones that are on, each by its TileJSON. */
async function drawZones(): Promise<void> {
  const wanted = store.state.show;
  const layers = await Promise.all(kinds.filter((one) => wanted.includes(one.kind)).map(async (one) => {
    const json = await tileJsonOf(one.kind).catch(() => null);
    const [template] = json?.tiles ?? [];
    const banks = isBanks(json?.vector_layers?.[0]?.fields ?? {});
    return template ? { ...one, tiles: belowRoot(template, root()), minzoom: json?.minzoom ?? 0, maxzoom: json?.maxzoom ?? 15, banks } : null;
  }));
  if (!live || wanted !== store.state.show) return;
  live.showKinds(layers.filter((one) => one !== null));
  live.setWeek(week);
  void paintBanks();
  painted = '';
  coloured = '';
  void paintZones();
}

/** The week and language whose causes are on the map. */
let coloured = '';
let causeLegend: Legend | null = null;

/** Colours the dyke compartments by why they are under water in the week. */
async function paintCauses(): Promise<void> {
  const [shown, at, spoken] = [live?.hasCompartments ?? false, week, lang()];
  const key = shown && at ? `${at} ${spoken}` : '';
  if (key === coloured) return;
  coloured = key;
  const [values, named] = key && at ? await Promise.all([causes(COMPARTMENTS, at).catch(() => null), legendOf(CAUSES, spoken).catch(() => null)]) : [null, null];
  if (key !== coloured) return;
  // no record of that week: outlines alone
  causeLegend = values && named;
  live?.causes(values, named);
  drawMore('causes', causeLegend);
  document.body.dataset.causes = values ? key : '';
}

let bankLegend: Legend | null = null;

/** Colours reaches of rivers by what became of their banks; the same in every week. */
async function paintBanks(): Promise<void> {
  const spoken = lang();
  const named = live?.hasBanks ? await legendOf(BANKS, spoken).catch(() => null) : null;
  if (spoken !== lang() || Boolean(named) !== Boolean(live?.hasBanks)) return;
  bankLegend = named;
  if (named) live?.banks(named);
  drawMore('banks', named);
}

let painted = '';
/** Steps of the box that is asked for, degrees: small pans ask nothing new. */
const PAINT_STEP = 0.02;

/** Colours the zones in view by the chosen layer and week; the numbers of a concrete week stay in the browser's cache. */
async function paintZones(): Promise<void> {
  void paintCauses();
  const want = live?.paintable ?? null;
  const [layer, at] = [store.state.layer, week];
  if (!live || !want || !at || !weeks?.has(at) || assetOf(layer)) {
    if (painted && want) live?.paint(want.kind, null, null);
    painted = '';
    return;
  }
  const down = (v: number): number => Number((Math.floor(v / PAINT_STEP) * PAINT_STEP).toFixed(2));
  const up = (v: number): number => Number((Math.ceil(v / PAINT_STEP) * PAINT_STEP).toFixed(2));
  const box = [down(want.box[0]), down(want.box[1]), up(want.box[2]), up(want.box[3])];
  const now = legend;
  const key = `${want.kind} ${layer} ${at} ${box.join()} ${now?.title}`;
  if (key === painted) return;
  painted = key;
  const share = now?.classed && shareClass(now);
  const statistic = now?.ordered ? 'majority' : share ? 'share' : 'mean';
  try {
    const values = await column(want.kind, layer, at, statistic, box);
    if (painted === key) live.paint(want.kind, values, now);
  } catch {
    // no statistics of that week: the raster below tells
    if (painted === key) live.paint(want.kind, null, null);
  }
  document.body.dataset.painted = painted;
}

/** Goes to what was found. */
function goTo(hit: Hit): void {
  if (hit.kind === 'coordinates' && hit.lon !== null && hit.lat !== null) {
    const { lon, lat } = hit;
    store.set({ sel: { lon, lat }, zone: null });
    if (live) live.fly([lon - 0.004, lat - 0.004, lon + 0.004, lat + 0.004], covered());
    else store.set({ map: { zoom: 14, lon, lat } }, 'replace');
    return;
  }
  found = [];
  if (!store.state.show.includes(hit.kind)) store.set({ show: [...store.state.show, hit.kind] }, 'replace');
  store.set({ zone: { kind: hit.kind, code: hit.code }, sel: null });
  if (!hit.bbox) return;
  const pad = 0.002;
  const box: Box = [hit.bbox[0] - pad, hit.bbox[1] - pad, hit.bbox[2] + pad, hit.bbox[3] + pad];
  if (live) live.fly(box, covered());
  else store.set({ map: { ...fit(box, size(), padding()) } }, 'replace');
}

/** Writes every fixed text of the page in the current language. */
function speak(): void {
  setLang(lang());
  remember('lang', lang());
  document.documentElement.lang = lang();
  document.title = t('page.title');
  for (const node of document.querySelectorAll<HTMLElement>('[data-t]')) node.textContent = t(node.dataset.t as TextKey);
  const name = (id: string, key: TextKey): void => { byId(id).setAttribute('aria-label', t(key)); byId(id).title = t(key); };
  const toggle = byId('lang');
  toggle.textContent = t('page.lang');
  toggle.lang = lang() === 'vi' ? 'en' : 'vi';
  name('lang', 'page.langLabel');
  name('theme', 'page.theme');
  name('zoom-in', 'map.NavigationControl.ZoomIn');
  name('zoom-out', 'map.NavigationControl.ZoomOut');
  name('handle', 'sheet.toggle');
  name('q', 'search.label');
  byId<HTMLInputElement>('q').placeholder = t('search.hint');
  drawKinds(kinds, store.state.show, (show) => store.set({ show }));
  byId('credits').replaceChildren(el('span', {}, t('page.attribution')), el('button', { type: 'button', id: 'open-keys', onclick: () => document.dispatchEvent(new CustomEvent('sen:keys')) }, t('keys.open')));
  live?.speak();
}

/** Redraws what carries texts of the server after a change of language. */
async function reread(): Promise<void> {
  notices.redraw();
  drawLayers(catalog.tiles, store.state.layer, (layer) => store.set({ layer }));
  drawTime();
  const mine = turn;
  const [next, main] = await legendsOf(store.state.layer, lang());
  if (mine !== turn) return;
  [legend, told] = [next, main];
  drawPanels();
  void paintCauses();
  void paintBanks();
}

/** The legends of a layer and of its collection's main one. */
const legendsOf = (layer: string, spoken: Lang): Promise<[Legend | null, Legend | null]> =>
  Promise.all([legendOf(layer, spoken).catch(() => null), legendOf(collectionOf(layer), spoken).catch(() => null)]);

/** Asks for the weeks and the legend of the chosen layer, then shows the week. */
async function openLayer(state: State): Promise<void> {
  const mine = ++turn;
  mark('loading');
  drawLayers(catalog.tiles, state.layer, (layer) => store.set({ layer }));
  try {
    const [nextWeeks, nextLegends] = await Promise.all([weeksOf(state.layer), legendsOf(state.layer, state.lang)]);
    if (mine !== turn) return;
    weeks = nextWeeks;
    [legend, told] = nextLegends;
    openWeek(store.state);
  } catch {
    if (mine !== turn) return;
    mark('error');
    notices.problem(() => t('notice.noServer'), () => void openLayer(store.state));
  }
}

function openWeek(state: State): void {
  if (!weeks) return;
  week = weeks.resolve(state.week);
  notices.hint(still ? () => t('notice.noWebgl') : null);
  if (week && state.week && week !== state.week) {
    const [asked, shown] = [state.week, week];
    notices.hint(() => t('notice.missingWeek', { asked: weekInSentence(asked), shown: weekInSentence(shown) }));
  } else if (week) sayCloud(weeks, week);
  drawPanels();
  void showWeek();
}

/** Under 5 % seen: says so and offers the nearest week that shows more. */
function sayCloud(all: Weeks, now: Week): void {
  const seen = all.seen(now);
  if (seen === null || seen >= 0.05) return;
  const better = all.looks.filter((one) => (all.seen(one) ?? 1) >= 0.3).sort((a, b) => Math.abs(weeksBetween(now, a)) - Math.abs(weeksBetween(now, b)))[0];
  notices.hint(() => (all.has(now) ? t('notice.mostlyCloud', { week: weekInSentence(now), share: percent(1 - seen) }) : t('notice.unseen', { week: weekInSentence(now) })),
    better ? { label: () => t('notice.see', { week: weekShort(better) }), press: () => store.set({ week: better }) } : undefined);
}

function drawTime(): void {
  if (weeks) time.draw(weeks, week, player.playing);
}

function drawPanels(): void {
  drawTime();
  drawLegend(legend, weeks && week ? weeks.seen(week) : null);
  drawMore('causes', causeLegend);
  drawMore('banks', bankLegend);
  drawAnswer();
}

function drawAnswer(): void {
  const { sel, layer, zone } = store.state;
  if (!sel) answer.cancel();
  if (!zone) zonePanel.cancel();
  if (!sel && !zone) answer.hint();
  else if (weeks && week && weeks.first && weeks.last) {
    const first = weeksBetween(weeks.first, weeks.last) > CHART_WEEKS ? addWeeks(weeks.last, -CHART_WEEKS) : weeks.first;
    // a layer beside the main one is drawn; what is told is of the main one
    const asked = { layer: collectionOf(layer), week, first, last: weeks.last, legend: told, catalog };
    if (zone) void zonePanel.show({ ...asked, zone, others: found });
    else if (sel) void answer.show({ ...asked, place: sel });
  }
}

/** The tiles of a layer and week, by its TileJSON and weeks. */
function wantedOf(layer: string, at: Week, json: TileJson, all: Weeks): Wanted {
  const [template] = json.tiles;
  return {
    key: `${layer} ${at}`,
    tiles: template && all.has(at) ? tileAddress(template, at, all.version(at), root()) : null,
    tileSize: json.tileSize ?? 256,
    minzoom: json.minzoom ?? 0,
    maxzoom: json.maxzoom ?? 14,
    bounds: json.bounds ?? area,
    nearest: legend?.classed ?? false,
    // Class rasters draw what was not seen themselves, and a class may be transparent.
    hatch: !all.has(at) || legend?.classed === false,
  };
}

async function showWeek(again = false): Promise<void> {
  live?.setWeek(week);
  if (still) return drawStill();
  if (!live) return undefined;
  if (!week || !weeks) {
    mark('idle');
    return undefined;
  }
  const [layer, at, all] = [store.state.layer, week, weeks];
  mark('loading');
  let json: TileJson;
  try {
    json = await tileJsonOf(layer);
  } catch {
    if (store.state.layer === layer && week === at) onProgress('failed', `${layer} ${at}`);
    return undefined;
  }
  if (store.state.layer !== layer || week !== at || !live) return undefined;
  const wanted = wantedOf(layer, at, json, all);
  if (again) live.retry(wanted);
  else live.show(wanted);
  return undefined;
}

/** `ndvi 2026-W34` in words. */
const named = (key: string | null): string => {
  const [layer = '', at = ''] = (key ?? '').split(' ');
  return `${layerShort(layer)} ${weekInSentence(at)}`;
};

function onProgress(progress: Progress, key: string): void {
  const shown = live?.shownKey ?? null;
  const both = (key2: TextKey, alone: TextKey) => (): string => (shown && shown !== key ? t(key2, { next: named(key), shown: named(shown) }) : t(alone, { next: named(key) }));
  const retry = (): void => { notices.clear(); void showWeek(true); };
  if (progress === 'loading') notices.loading(both('notice.loading', 'notice.loadingFirst'));
  if (progress === 'slow') notices.problem(both('notice.slow', 'notice.slowFirst'), retry);
  if (progress === 'partial') notices.problem(() => t('notice.partial', { shown: named(shown) }), retry);
  if (progress === 'failed') {
    mark('error');
    player.stop();
    notices.problem(both('notice.failed', 'notice.failedFirst'), retry);
  }
  if (progress === 'shown') {
    document.body.dataset.shown = key;
    notices.clear();
    byId('picture').hidden = true;
    byId('under').hidden = true;
    player.shown();
    void paintZones();
  }
}

/** The tiles of the neighbouring looks, quietly, once nothing else is going on. */
async function preload(): Promise<void> {
  if (!live || !weeks || !week || player.playing) return;
  const [layer, at, all] = [store.state.layer, week, weeks];
  const json = await tileJsonOf(layer).catch(() => null);
  if (!json || !live || store.state.layer !== layer || week !== at) return;
  const near = [all.look(at, 1), all.look(at, -1)].filter((one): one is Week => one !== null);
  preloader.want(near.map((one) => wantedOf(layer, one, json, all)), live.camera(), size());
}

/** The server's picture of the view: before the live map, and in its place where there is none. */
function drawPicture(): Promise<void> {
  const image = byId<HTMLImageElement>('picture');
  const { width, height } = size();
  const factor = Math.min(1, 2048 / Math.max(width, height));
  const address = picturePath(collectionOf(store.state.layer), seenBox(camera(), { width, height }), Math.round(width * factor), Math.round(height * factor), week ?? store.state.week);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('slow')), 8000);
    image.onload = () => { clearTimeout(timer); image.hidden = false; drawUnder(); resolve(); };
    image.onerror = () => { clearTimeout(timer); reject(new Error(address)); };
    image.alt = week ? `${layerShort(store.state.layer)}, ${weekInSentence(week)}` : '';
    image.src = address;
  });
}

/** The area under the picture, hatched where the layer was not seen. */
function drawUnder(): void {
  const node = byId('under');
  const [w, s, e, n] = area;
  const from = pixelOf(camera(), size(), w, n);
  const to = pixelOf(camera(), size(), e, s);
  node.style.cssText = `left:${from.x}px;top:${from.y}px;width:${to.x - from.x}px;height:${to.y - from.y}px`;
  node.classList.toggle('hatch', legend?.classed === false);
  node.hidden = false;
}

async function drawStill(): Promise<void> {
  mark('loading');
  const now = `${store.state.layer} ${week}`;
  try {
    await drawPicture();
    document.body.dataset.shown = now;
    player.shown();
    mark('idle');
  } catch {
    mark('error');
    notices.problem(() => t('notice.failedFirst', { next: named(now) }), () => void drawStill());
  }
}

function zoomBy(by: 1 | -1): void {
  if (live) live.zoom(by);
  else {
    const now = camera();
    store.set({ map: { ...now, zoom: Math.min(17, Math.max(5, now.zoom + by)) } }, 'replace');
  }
}

async function openMap(): Promise<void> {
  try {
    const { Live: Map } = await import('./map/live.ts');
    live = await Map.open(byId('map'), camera(), area, Math.min(fit(area, size(), padding()).zoom - 1, 12), theme(), {
      progress: onProgress,
      idle: () => {
        if (document.body.dataset.map !== 'error') mark('idle');
        void paintZones();
        void preload();
      },
      moved: (map) => store.set({ map }, 'replace'),
      tapped: (place, under) => {
        found = under;
        const [hit] = under;
        if (hit) store.set({ zone: { kind: hit.kind, code: hit.code }, sel: null });
        else store.set({ sel: { lon: Number(place.lon.toFixed(6)), lat: Number(place.lat.toFixed(6)) }, zone: null });
      },
      touched: () => { player.stop(); preloader.stop(); },
    });
    live.select(store.state.sel);
    showKinds();
    if (store.state.sel || store.state.zone) openSheet();
    if (store.state.sel) live.reveal(store.state.sel, covered());
    if (store.state.zone) drawAnswer();
    void showWeek();
  } catch (error) {
    console.warn('no live map:', error);
    still = true;
    byId('map').hidden = true;
    document.body.classList.add('still');
    notices.hint(() => t('notice.noWebgl'));
    byId('stage').addEventListener('click', (event) => store.set({ sel: placeAt(camera(), size(), event.clientX, event.clientY), zone: null }));
    await drawStill();
  }
}

async function start(): Promise<void> {
  byId('theme').append(icon('theme'));
  byId('zoom-in').append(icon('plus'));
  byId('zoom-out').append(icon('minus'));
  byId('lang').addEventListener('click', () => store.set({ lang: lang() === 'vi' ? 'en' : 'vi' }));
  // The link of the skip link would overwrite the State in the hash.
  document.querySelector('.skip')?.addEventListener('click', (event) => { event.preventDefault(); openSheet(); byId('answer').focus(); });
  byId('zoom-in').addEventListener('click', () => zoomBy(1));
  byId('zoom-out').addEventListener('click', () => zoomBy(-1));
  watchTheme((next) => live?.theme(next));
  watchSheet();
  watchKeys({
    week: (by, look) => time.step(by, look),
    play: () => player.toggle(),
    layer: (index) => { const id = layersOf(catalog.tiles)[index]; if (id) store.set({ layer: id }); },
    close: () => store.set({ sel: null, zone: null }),
  });
  watchSearch(goTo);
  speak();
  answer.hint();
  addEventListener('resize', () => { if (still) void drawStill(); });
  // An hour-old page asks for new weeks when it is looked at again.
  let asked = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || Date.now() - asked < 600_000) return;
    asked = Date.now();
    forgetWeeks();
    void openLayer(store.state);
  });

  try {
    const [known, json] = await Promise.all([catalogOf(), tileJsonOf(store.state.layer).catch(() => null)]);
    catalog = known;
    const ids = layersOf(catalog.tiles);
    drawLayers(catalog.tiles, store.state.layer, (layer) => store.set({ layer }));
    const [first] = ids;
    if (first && !ids.includes(collectionOf(store.state.layer))) {
      const missing = store.state.layer;
      store.set({ layer: first }, 'replace');
      notices.hint(() => t('notice.missingLayer', { layer: missing, shown: layerShort(first) }));
    }
    area = (json ?? (first ? await tileJsonOf(store.state.layer) : null))?.bounds ?? HOME;
  } catch {
    mark('error');
    notices.problem(() => t('notice.noServer'), () => location.reload());
    return;
  }
  const picture = drawPicture().catch(() => undefined);
  const known = askKinds().catch(() => []);
  await openLayer(store.state);
  await picture;
  kinds = await known;
  showKinds();
  await openMap();
}

void start();
