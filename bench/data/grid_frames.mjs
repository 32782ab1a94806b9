// What a frame costs while a table is scrolled in the browser. Limit: 80 ms.
//
//     node bench/data/grid_frames.mjs [--rows N]
//
// Makes a table of N rows (10 million when left out) and 12 columns as Parquet, and its first
// 200,000 rows as CSV, starts JupyterLab on both, and turns the wheel over each of three for three
// seconds: our grid, JupyterLab's own CSV viewer, and a notebook with 1,000 rows that pandas wrote
// as HTML. Then the thumb of the scroll bar is drawn over the whole table and back, which shows
// rows that have to be fetched. A frame is the time between two calls of requestAnimationFrame; the
// limit is for the 95th percentile of ours, so for nearly all of them. The browser draws without a
// GPU, which is the worst case. The floor is an empty page that is told to draw anew.
/* global window, performance, requestAnimationFrame -- what runs in the page */
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const bin = join(root, '.venv', 'bin');
const require = createRequire(join(root, 'ui-tests', 'package.json'));
const { chromium } = require('@playwright/test');
const at = process.argv.indexOf('--rows');
const rows = at < 0 ? 10_000_000 : Number(process.argv[at + 1]);
const LIMIT = 80;

const port = await new Promise(resolve => {
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const folder = mkdtempSync(join(tmpdir(), 'perijove-frames-'));
writeFileSync(join(folder, 'perijove.toml'), '[project]\nname = "frames"\n');
const MAKE = `
import sys
import nbformat
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import perijove as pj

rows = int(sys.argv[1])
rng = np.random.default_rng(0)
words = np.array(["alpha", "beta", "gamma", "delta"])
columns = {f"n{i}": rng.normal(size=rows) for i in range(6)}
columns |= {f"i{i}": rng.integers(0, 10**9, rows) for i in range(3)}
columns |= {f"w{i}": pa.DictionaryArray.from_arrays(rng.integers(0, 4, rows), words) for i in range(3)}
table = pa.table(columns)
pa.parquet.write_table(table, "table.parquet", row_group_size=122_880)
pj.register("table.parquet", name="table")
head = table.slice(0, 200_000).to_pandas()
head.to_csv("table.csv", index=False)
html = head.head(1000).to_html(max_rows=None)
output = nbformat.v4.new_output("display_data", {"text/html": html})
cell = nbformat.v4.new_code_cell("head", outputs=[output], execution_count=1)
nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "table.ipynb")
`;
execFileSync(join(bin, 'python'), ['-c', MAKE, String(rows)], { cwd: folder, stdio: 'inherit' });

const token = 'bench';
const lab = spawn(
  join(bin, 'jupyter'),
  [
    'lab',
    '--no-browser',
    '--allow-root',
    `--port=${port}`,
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${folder}`,
    '--LabApp.expose_app_in_browser=True'
  ],
  { stdio: 'ignore', env: { ...process.env, JUPYTER_RUNTIME_DIR: join(folder, '.runtime') } }
);

/** Move something for some seconds, and return the time of each frame in ms. */
async function measure(page, move, seconds) {
  await page.evaluate(() => {
    window.frames_ = [];
    window.counting = true;
    let last = performance.now();
    const count = now => {
      window.frames_.push(now - last);
      last = now;
      if (window.counting) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  const start = Date.now();
  for (let share = 0; share < 1; share = (Date.now() - start) / 1000 / seconds) {
    await move(share);
    await new Promise(resolve => setTimeout(resolve, 16));
  }
  return page.evaluate(() => {
    window.counting = false;
    return window.frames_.slice(2);
  });
}

/** Turn the wheel. */
async function scroll(page, selector, seconds = 3) {
  const box = await page.locator(selector).first().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  return measure(page, () => page.mouse.wheel(0, 240), seconds);
}

/** Draw the thumb of the vertical scroll bar down to the end, and back. */
async function drag(page, selector, seconds = 3) {
  const bar = page.locator(`${selector} .lm-ScrollBar[data-orientation="vertical"]`);
  const track = await bar.locator('.lm-ScrollBar-track').boundingBox();
  const thumb = await bar.locator('.lm-ScrollBar-thumb').boundingBox();
  const x = thumb.x + thumb.width / 2;
  const y = thumb.y + thumb.height / 2;
  await page.mouse.move(x, y);
  await page.mouse.down();
  const frames = await measure(
    page,
    share => page.mouse.move(x, y + (1 - Math.abs(2 * share - 1)) * (track.y + track.height - y)),
    seconds
  );
  await page.mouse.up();
  return frames;
}

function report(name, frames) {
  const sorted = [...frames].sort((a, b) => a - b);
  const share = q => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  const mean = frames.reduce((sum, frame) => sum + frame, 0) / frames.length;
  const figures = [mean, share(0.5), share(0.95), share(1)];
  console.log(
    `${name.padEnd(46)} ${figures.map(f => f.toFixed(1).padStart(7)).join(' ')}   ` +
      `${frames.length} frames`
  );
  return share(0.95);
}

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
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader'
    ]
  });
  const page = await browser.newPage({ viewport: { width: 1360, height: 820 } });
  console.log(`${''.padEnd(46)}    mean  median     p95   worst   (ms a frame)`);
  await page.setContent('<canvas width="1000" height="500"></canvas>');
  report('an empty page (floor)', await scroll(page, 'canvas', 1));
  await page.goto(`http://127.0.0.1:${port}/lab?reset&token=${token}`);
  await page.waitForFunction(
    () => window.jupyterapp?.commands.hasCommand('perijove:open-dataset'),
    null,
    { timeout: 60_000 }
  );
  const run = (command, args) =>
    page.evaluate(
      ([id, given]) => window.jupyterapp.commands.execute(id, given).then(() => null),
      [command, args]
    );

  await run('perijove:open-dataset', { name: 'table' });
  await page.waitForSelector('.pj-Rows-grid .lm-DataGrid');
  await page.waitForTimeout(2000);
  const all = rows.toLocaleString('en');
  const grid = '.pj-Rows-grid .lm-DataGrid';
  const turned = report(`Perijove, ${all} rows`, await scroll(page, grid));
  const drawn = report(`Perijove, ${all} rows, the thumb drawn`, await drag(page, grid));
  await run('docmanager:open', { path: 'table.csv' });
  await page.waitForSelector('.jp-CSVViewer .lm-DataGrid');
  await page.waitForTimeout(2000);
  const csv = '.jp-CSVViewer .lm-DataGrid';
  report('CSV viewer of JupyterLab, 200,000 rows', await scroll(page, csv));
  report('CSV viewer of JupyterLab, the thumb drawn', await drag(page, csv));
  await run('docmanager:open', { path: 'table.ipynb' });
  await page.waitForSelector('.jp-NotebookPanel table tbody tr:nth-child(500)');
  await page.waitForTimeout(2000);
  report(
    'a frame of pandas in a notebook, 1,000 rows',
    await scroll(page, '.jp-NotebookPanel table')
  );
  await browser.close();
  process.exitCode = Math.max(turned, drawn) <= LIMIT ? 0 : 1;
} finally {
  lab.kill('SIGTERM');
  await new Promise(resolve => lab.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}
