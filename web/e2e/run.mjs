// The page in a real browser against a running `sen serve`: node e2e/run.mjs BASE_URL [PICTURES_FOLDER] [WORDS]
// WORDS picks the stories whose name holds them.
// Prints one line a check and closes with the counts. CHROMIUM names the browser (default: the one in the npm package).
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browserPath } from './browser.mjs';
import { Page } from './page.mjs';
import { stories } from './stories.mjs';

const base = (process.argv[2] ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
const folder = process.argv[3] ?? join(tmpdir(), 'sen-e2e');
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: await browserPath(),
  // Without the software renderer named, Chromium draws no WebGL and a suite is green on nothing.
  args: ['--headless=new', '--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});

const began = Date.now();
const chosen = Object.entries(stories).filter(([one]) => one.includes(process.argv[4] ?? ''));
const waiting = [...chosen];
let passed = 0;
let failed = 0;

/** Tells one story, in a context of its own. */
async function tell([name, story]) {
  const page = new Page(browser, base, (file) => join(folder, file));
  const start = Date.now();
  try {
    await story(page);
    passed += 1;
    console.log(`ok    ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.message.split('\n')[0]}`);
    await page.picture(`FAIL-${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)}.png`).catch(() => undefined);
  } finally {
    await page.close();
  }
}

/** Two at a time: most of a story is waiting for the other side. */
async function worker() {
  for (let next = waiting.shift(); next; next = waiting.shift()) await tell(next);
}
await Promise.all(Array.from({ length: Number(process.env.E2E_WORKERS ?? 2) }, worker));
await browser.close();
console.log(`${passed} passed, ${failed} failed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
if (passed + failed === 0) console.log(`no story is called ${process.argv[4]}`);
process.exit(failed || !passed ? 1 : 0);
