// What the stories do with a page: open it, wait for it, look at its pixels, ask the server the same question.
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';

export class Page {
  constructor(browser, base, pathOf) {
    Object.assign(this, { browser, base, pathOf, foreign: [], errors: [], requests: [] });
  }

  /** Opens the page, or another `path`; `size` [width, height], `init` a script run before it, `script` false: none runs. */
  async open(hash = '', { size = [1440, 900], init, route, path = '', script = true } = {}) {
    this.context = await this.browser.newContext({ viewport: { width: size[0], height: size[1] }, deviceScaleFactor: 1, locale: 'vi-VN', hasTouch: size[0] < 768, javaScriptEnabled: script });
    this.tab = await this.context.newPage();
    this.tab.setDefaultTimeout(30_000);
    this.tab.on('pageerror', (error) => this.errors.push(error.message));
    this.tab.on('request', (request) => {
      this.requests.push(request.url());
      if (!request.url().startsWith(this.base) && !/^(data|blob):/.test(request.url())) this.foreign.push(request.url());
    });
    if (init) await this.tab.addInitScript(init);
    if (route) await route(this.tab);
    await this.tab.goto(`${this.base}/${path}${hash}`);
    return this.tab;
  }

  idle(timeout = 45_000) {
    return this.tab.waitForFunction(() => document.body.dataset.map === 'idle', null, { timeout });
  }

  /** Waits until a layer and week are wholly on the screen. */
  async shows(key, timeout = 45_000) {
    await this.tab.waitForFunction((wanted) => document.body.dataset.shown === wanted && document.body.dataset.map === 'idle', key, { timeout });
    // One more frame: what the page calls shown must be what the screen shows.
    await this.tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }

  async json(path) {
    const answer = await fetch(this.base + path);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer.json();
  }

  text(selector) { return this.tab.locator(selector).innerText(); }
  hash() { return this.tab.evaluate(() => location.hash); }
  picture(file) { return this.tab.screenshot({ path: this.pathOf(file) }); }

  /** A piece of the map that no panel covers, as pixels. */
  async look() {
    const { width, height } = this.tab.viewportSize();
    const clip = width >= 768
      ? { x: 400, y: 130, width: Math.max(200, width - 840), height: height - 330 }
      : { x: 20, y: 170, width: width - 100, height: height - 400 };
    return pixels(await this.tab.screenshot({ clip }));
  }

  async close() { await this.context?.close(); }
}

/** Decodes an 8-bit RGB or RGBA PNG: size, a hash of the pixels, how often each colour occurs. */
export function pixels(png) {
  let width = 0;
  let height = 0;
  let channels = 4;
  const parts = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const kind = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (kind === 'IHDR') { width = data.readUInt32BE(0); height = data.readUInt32BE(4); channels = data[9] === 2 ? 3 : 4; }
    if (kind === 'IDAT') parts.push(data);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)];
    for (let i = 0; i < stride; i += 1) {
      const left = i >= channels ? out[y * stride + i - channels] : 0;
      const up = y ? out[(y - 1) * stride + i] : 0;
      const corner = y && i >= channels ? out[(y - 1) * stride + i - channels] : 0;
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const base = [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : corner][filter];
      out[y * stride + i] = raw[y * (stride + 1) + 1 + i] + base;
    }
  }
  const colours = new Map();
  for (let i = 0; i < out.length; i += channels) {
    const colour = (out[i] << 16) | (out[i + 1] << 8) | out[i + 2];
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  return { width, height, hash: createHash('sha256').update(out).digest('hex').slice(0, 16), colours };
}
