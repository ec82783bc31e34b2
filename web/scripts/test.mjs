// Unit tests: bundles test/*.test.ts for node (node 20 reads no TypeScript) and hands them to node's own runner.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'node_modules', '.cache', 'sen-test');
const names = readdirSync(join(root, 'test')).filter((name) => name.endsWith('.test.ts'));
await build({
  root,
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  build: {
    ssr: true,
    outDir: out,
    emptyOutDir: true,
    rollupOptions: { input: Object.fromEntries(names.map((name) => [basename(name, '.ts'), join(root, 'test', name)])) },
  },
});
const built = readdirSync(out).filter((name) => /\.test\.m?js$/.test(name)).map((name) => join(out, name));
const run = spawnSync(process.execPath, ['--test', ...built], { stdio: 'inherit' });
process.exit(run.status ?? 1);
