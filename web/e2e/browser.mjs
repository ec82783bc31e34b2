// The browser the stories run in: the one CHROMIUM names, else the one that lies inside the npm package.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The path of a Chromium that can be started. The package's own (x86-64) is unpacked into a folder that goes with this process. */
export async function browserPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folder = mkdtempSync(join(tmpdir(), 'sen-browser-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // It unpacks into the folder for temporary files, and brings the libraries it is linked with (NSS and others) for this environment alone.
  process.env.TMPDIR = folder;
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x';
  // Its own fonts lack families the page asks for, and it aborts on one that is missing.
  process.env.FONTCONFIG_PATH ??= '/etc/fonts';
  const { default: packaged } = await import('@sparticuz/chromium');
  return packaged.executablePath();
}
