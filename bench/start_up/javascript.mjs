// What the browser loads of Perijove before anything is clicked, in bytes after gzip.
//
//     node bench/start_up/javascript.mjs [PROJECT]
//
// Starts JupyterLab on a folder (a fresh example project when none is named), opens it in Chromium,
// and adds up what comes from our extension's folder until the page is quiet. Then it is reloaded
// without any caching. The floor is the JavaScript of JupyterLab's own that the same page loads.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const bin = join(root, '.venv', 'bin');
const require = createRequire(join(root, 'ui-tests', 'package.json'));
const { chromium } = require('@playwright/test');

const port = await new Promise(resolve => {
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});

const made = process.argv[2] ? null : mkdtempSync(join(tmpdir(), 'perijove-js-'));
const project = process.argv[2] ?? join(made, 'example');
if (made) {
  execFileSync(join(bin, 'perijove'), ['init', '--example', project], { stdio: 'ignore' });
}
const token = 'bench';
const lab = spawn(
  join(bin, 'jupyter'),
  [
    'lab',
    '--no-browser',
    '--allow-root',
    `--port=${port}`,
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${project}`,
    '--LabApp.collaborative=False'
  ],
  { stdio: 'ignore', env: { ...process.env, JUPYTER_RUNTIME_DIR: made ?? project } }
);
const url = `http://127.0.0.1:${port}/lab?reset&token=${token}`;
try {
  for (const end = Date.now() + 60_000; ;) {
    const ready = await fetch(`http://127.0.0.1:${port}/api/status?token=${token}`)
      .then(reply => reply.ok)
      .catch(() => false);
    if (ready) break;
    if (Date.now() > end) throw new Error('JupyterLab did not start within 60 s');
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage']
  });
  const page = await browser.newPage();
  const loaded = new Map();
  page.on('response', async response => {
    const { pathname } = new URL(response.url());
    if (pathname.endsWith('.js') && response.ok()) {
      loaded.set(pathname, await response.body().catch(() => Buffer.alloc(0)));
    }
  });
  await page.goto(url);
  await page.waitForSelector('#jp-main-dock-panel', { timeout: 60_000 });
  await page.waitForLoadState('networkidle', { timeout: 20_000 }).catch(() => undefined);
  await browser.close();

  const ours = [...loaded].filter(([path]) => path.includes('/extensions/perijove/'));
  const others = [...loaded].filter(([path]) => !path.includes('/extensions/'));
  const total = files => files.reduce((sum, [, body]) => sum + gzipSync(body).length, 0);
  for (const [path, body] of ours) {
    const name = path.split('/').pop();
    console.log(`${String(gzipSync(body).length).padStart(9)}  ${name}`);
  }
  console.log(
    `${String(total(ours)).padStart(9)}  Perijove, gzip, ${ours.length} files (limit 61440)`
  );
  console.log(`${String(total(others)).padStart(9)}  JupyterLab itself, gzip (floor)`);
  process.exitCode = ours.length > 0 && total(ours) <= 60 * 1024 ? 0 : 1;
} finally {
  lab.kill('SIGTERM');
  await new Promise(resolve => lab.once('exit', resolve));
  if (made) rmSync(made, { recursive: true, force: true });
}
