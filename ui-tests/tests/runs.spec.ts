import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

test.use({ mockUser: false, actionTimeout: 30_000, viewport: { width: 1400, height: 860 } });

const PICTURES = resolve(__dirname, process.env.PERIJOVE_PICTURES ?? '../test-results/pictures');

/** Runs as cells of a notebook make them; each has curves, but for `flat`. */
const TRAIN = `
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "perijove")

def train(name, lr, kind, steps=50):
    cell = f"""
import perijove as pj
pj.log_params(lr={lr}, kind="{kind}", seed=7)
for step in range({steps}):
    pj.log(step=step, loss=1 / (1 + step * {lr}), **{{"val/accuracy": step * {lr} / 10}})
"""
    shell.run_cell(f"%%train --name {name}\\n{cell}", store_history=True)

train("slow", 0.01, "mlp")
train("quick", 0.1, "mlp")
train("steady", 0.05, "hgb")
train("flat", 0.02, "<b>bold</b> and a very long kind of model that fits into no column", steps=1)
`;

/** A run that logs a point each 100 ms, with the time of each in a file. */
const LIVE = `
import time
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "perijove")
shell.run_cell("""%%train --name live
import time
import perijove as pj
with open("times.txt", "w", buffering=1) as times:
    for step in range(120):
        pj.log(step=step, loss=1 / (1 + step))
        times.write(f"{step} {time.time() * 1000}\\\\n")
        time.sleep(0.1)
""")
`;

const root = (): string => process.env.PERIJOVE_UI_ROOT ?? '';

function python(folder: string, code: string): string {
  return execFileSync('python', ['-c', code], {
    cwd: join(root(), folder),
    encoding: 'utf8',
    timeout: 120_000
  });
}

async function makeProject(page: IJupyterLabPageFixture, folder: string): Promise<void> {
  await page.contents.uploadContent(
    '[project]\nname = "runs"\n',
    'text',
    `${folder}/perijove.toml`
  );
}

async function openRuns(page: IJupyterLabPageFixture, folder: string): Promise<Locator> {
  await page.evaluate(async path => {
    await window.jupyterapp.commands.execute('perijove:refresh');
    await window.jupyterapp.commands.execute('perijove:switch-project', { path });
    await window.jupyterapp.commands.execute('perijove:open-develop');
  }, folder);
  const runs = page.locator('.pj-Page:visible .pj-Runs');
  await expect(runs).toBeVisible();
  return runs;
}

function rowOf(runs: Locator, name: string): Locator {
  return runs.locator('.pj-LongTable-row', { hasText: name });
}

/** Take a picture in both themes. */
async function picture(page: IJupyterLabPageFixture, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  for (const [theme, set] of [
    ['dark', () => page.theme.setDarkTheme()],
    ['light', () => page.theme.setLightTheme()]
  ] as const) {
    await set();
    await page.mouse.move(700, 4);
    await page.screenshot({ path: join(PICTURES, `${name}-${theme}.png`), animations: 'disabled' });
  }
}

test('runs are found, sorted, grouped, marked, deleted and restored', async ({ page, tmpPath }) => {
  test.setTimeout(180_000);
  await makeProject(page, tmpPath);
  python(tmpPath, TRAIN);
  const runs = await openRuns(page, tmpPath);
  const table = runs.locator('.pj-LongTable');
  await expect(rowOf(runs, 'slow')).toBeVisible();
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('4 runs');
  // HTML is text.
  await expect(runs.locator('b', { hasText: 'bold' })).toHaveCount(0);
  await picture(page, 'runs-table');

  // A click on a heading sorts: the lowest loss comes first.
  await table.getByRole('button', { name: 'loss', exact: true }).click();
  await expect(table.locator('.pj-LongTable-row').first()).toContainText('quick');
  await expect(rowOf(runs, 'quick').getByRole('img', { name: 'best' }).first()).toBeVisible();

  // Filter words, with a name completed; what cannot be followed is told where it is typed.
  const search = runs.getByRole('combobox', { name: 'Search runs' });
  await page.keyboard.press('/');
  await expect(search).toBeFocused();
  await search.pressSequentially('params.ki');
  await page.keyboard.press('Tab');
  await expect(search).toHaveValue('params.kind ');
  await search.pressSequentially("= 'mlp'");
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('2 of 4 runs');
  await search.fill("params.kind = 'mlp' and and");
  await search.press('Enter');
  await expect(runs.getByRole('alert')).toContainText('character');
  await expect(rowOf(runs, 'quick')).toBeVisible();
  await search.fill('stea');
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('1 of 4 runs');
  await search.fill('');

  // The same by clicks.
  await runs.getByRole('button', { name: 'Filter', exact: true }).click();
  const form = runs.getByRole('dialog', { name: 'Filter' });
  await form.getByLabel('Column').selectOption('metrics.loss');
  await form.getByLabel('Condition').selectOption('<');
  await form.getByLabel('Value').fill('0.3');
  await form.getByRole('button', { name: 'Add filter' }).click();
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('2 of 4 runs');
  await runs.getByRole('button', { name: 'Remove the filter on metrics.loss' }).click();

  // Groups open into their runs.
  await runs.getByLabel('Group by').selectOption('params.kind');
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('3 groups');
  await rowOf(runs, 'mlp').getByRole('button', { name: 'Open the group' }).click();
  await expect(rowOf(runs, 'slow')).toBeVisible();
  await picture(page, 'runs-groups');
  await runs.getByLabel('Group by').selectOption('');

  // Marks are in the row, and stay.
  await expect(rowOf(runs, 'flat')).toBeVisible();
  await rowOf(runs, 'slow').hover();
  await rowOf(runs, 'slow').getByRole('button', { name: 'Pin slow' }).click();
  await expect(table.locator('.pj-LongTable-row').first()).toContainText('slow');

  // Actions on what is chosen: a tag, a note, a deletion that can be taken back.
  await table.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press(' ');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(runs.locator('.pj-SelectionBar-count')).toContainText('2 chosen');
  await runs.getByRole('button', { name: 'Tag', exact: true }).click();
  await runs.getByRole('combobox', { name: 'Tag' }).fill('team');
  await runs.getByLabel('Value').fill('vision');
  await runs.getByRole('button', { name: 'Add tag' }).click();
  await expect(rowOf(runs, 'slow').getByRole('button', { name: 'team: vision' })).toBeVisible();
  await runs.getByRole('button', { name: 'Note', exact: true }).click();
  await runs.getByLabel('Text in Markdown').fill('looked at by *two*');
  await runs.getByRole('button', { name: 'Save note' }).click();
  await expect(rowOf(runs, 'slow').getByRole('button', { name: 'Read the note' })).toBeVisible();
  await runs.getByRole('button', { name: 'Delete…' }).click();
  await page.locator('.jp-Dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(runs.locator('.pj-SelectionBar-count')).toHaveText('2 runs');
  await runs.getByRole('button', { name: 'Deleted', exact: true }).click();
  await expect(rowOf(runs, 'slow')).toBeVisible();
  await rowOf(runs, 'slow').getByRole('checkbox').check();
  await runs.getByRole('button', { name: 'Restore', exact: true }).click();
  await runs.getByRole('button', { name: 'Deleted', exact: true }).click();
  await expect(rowOf(runs, 'slow')).toBeVisible();

  // What is shown can be had as CSV.
  const download = page.waitForEvent('download');
  await runs.getByRole('button', { name: 'Export CSV' }).click();
  const file = await (await download).path();
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(4);
});

test('curves are smoothed, zoomed together, and told under the pointer', async ({
  page,
  tmpPath
}) => {
  test.setTimeout(180_000);
  await makeProject(page, tmpPath);
  python(tmpPath, TRAIN);
  const runs = await openRuns(page, tmpPath);
  const charts = runs.locator('.pj-MetricChart');
  await expect(charts).toHaveCount(2);
  const loss = runs.locator('[data-metric="loss"]');
  const accuracy = runs.locator('[data-metric="val/accuracy"]');
  await expect(loss.locator('[data-last-x="49"]')).toBeVisible();

  // Space takes a run's curve, Escape gives all back.
  const table = runs.locator('.pj-LongTable');
  await rowOf(runs, 'quick').click();
  await table.focus();
  await page.keyboard.press(' ');
  await expect(loss.locator('[data-lines="1"]')).toBeVisible();
  await page.keyboard.press('Shift+ArrowDown');
  await expect(loss.locator('[data-lines="2"]')).toBeVisible();
  await page.keyboard.press('Escape');

  // Smoothed, each line has the one that was logged behind it.
  for (const name of ['slow', 'quick', 'steady']) {
    await rowOf(runs, name).getByRole('checkbox').check();
  }
  await expect(loss.locator('[data-lines="3"]')).toBeVisible();
  await runs.getByLabel('Smoothing').fill('0.6');
  await expect(loss.locator('[data-lines="6"]')).toBeVisible();
  await runs.getByLabel('Smoothing').fill('0');

  // All values are told where the pointer is, the largest first.
  const over = loss.locator('.u-over');
  const box = (await over.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const tip = page.locator('.pj-Chart-tip:visible', { hasText: 'step' }).first();
  await expect(tip).toContainText('slow');
  const values = (await tip.locator('div').allInnerTexts())
    .slice(1)
    .map(text => Number(text.split(' ').at(-1)))
    .filter(value => !Number.isNaN(value));
  expect(values).toEqual([...values].sort((a, b) => b - a));

  // A drag over one chart zooms all; a double click gives the whole back.
  await page.mouse.move(box.x + 20, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 40, { steps: 6 });
  await page.mouse.up();
  await expect(runs.getByRole('button', { name: 'Show all' })).toBeVisible();
  await accuracy.locator('.u-over').dblclick();
  await expect(runs.getByRole('button', { name: 'Show all' })).toBeHidden();

  await runs.getByLabel('x axis').selectOption('relative');
  await expect(loss.locator('canvas')).toBeVisible();
  await runs.getByLabel('log').check();
  await picture(page, 'runs-curves');
  await runs.getByLabel('Find a metric').fill('accur');
  await expect(charts).toHaveCount(1);

  // How the page is looked at is there again after a reload.
  await page.waitForTimeout(1500);
  // No launcher to wait for: the page is there again. Playwright's own type hides Galata's option.
  const restored = { waitForIsReady: false, timeout: 30_000 };
  await page.reload(restored);
  const again = page.locator('.pj-Page:visible .pj-Runs');
  await expect(again.getByLabel('Find a metric')).toHaveValue('accur');
  await expect(again.getByLabel('log')).toBeChecked();
});

test('a point is on the screen within a second', async ({ page, tmpPath }) => {
  test.setTimeout(180_000);
  await makeProject(page, tmpPath);
  python(tmpPath, TRAIN);
  const runs = await openRuns(page, tmpPath);
  await expect(rowOf(runs, 'slow')).toBeVisible();
  const child = spawn('python', ['-c', LIVE], { cwd: join(root(), tmpPath), stdio: 'ignore' });
  const ended = new Promise(done => child.once('exit', done));
  await expect(rowOf(runs, 'live')).toBeVisible();
  const frame = runs.locator('[data-metric="loss"] .pj-Chart-frame');
  // Only the live run, so that its last step is the last x.
  await rowOf(runs, 'live').getByRole('checkbox').check();
  await expect(frame).toHaveAttribute('data-lines', '1');
  await frame.evaluate(node => {
    const seen: [number, number][] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const step = Number((node as HTMLElement).dataset['lastX']);
      requestAnimationFrame(() => seen.push([step, performance.timeOrigin + performance.now()]));
    }).observe(node, { attributes: true, attributeFilter: ['data-last-x'] });
  });
  await ended;
  await expect(frame).toHaveAttribute('data-last-x', '119');
  const seen = await page.evaluate(() => (window as unknown as { seen: [number, number][] }).seen);
  const waits = readFileSync(join(root(), tmpPath, 'times.txt'), 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(' ').map(Number) as [number, number])
    .filter(([step]) => step > (seen[0]?.[0] ?? 0))
    .map(([step, at]) => (seen.find(([shown]) => shown >= step)?.[1] ?? Infinity) - at)
    .sort((a, b) => a - b);
  const p95 = waits[Math.floor(waits.length * 0.95)];
  test.info().annotations.push({
    type: 'point to pixel',
    description: `p50 ${waits[waits.length >> 1].toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ${waits.length} points`
  });
  expect(waits.length).toBeGreaterThan(30);
});

test('runs are compared side by side', async ({ page, tmpPath }) => {
  test.setTimeout(180_000);
  await makeProject(page, tmpPath);
  python(tmpPath, TRAIN);
  const runs = await openRuns(page, tmpPath);
  await rowOf(runs, 'slow').getByRole('checkbox').check();
  await rowOf(runs, 'quick').getByRole('checkbox').check();
  await runs.locator('.pj-LongTable').focus();
  await page.keyboard.press('c');
  const compare = page.locator('.pj-Page:visible .pj-Compare');
  const table = compare.getByRole('table', { name: 'Differences' });
  await expect(table.getByRole('row', { name: /^lr/ })).toContainText('0.01');
  await expect(table.getByRole('row', { name: /^lr/ })).toContainText('0.1');
  await expect(table.getByRole('row', { name: /^seed/ })).toHaveCount(0);
  await compare.getByLabel(/Show what is the same/).check();
  await expect(table.getByRole('row', { name: /^seed/ })).toBeVisible();
  await compare.locator('.pj-MetricChart').first().scrollIntoViewIfNeeded();
  await expect(compare.locator('.pj-MetricChart canvas').first()).toBeVisible();
  await expect(compare.locator('.pj-Diff')).toContainText('lr=0.1');
  await picture(page, 'compare');
  const plots = compare.locator('.pj-Plots');
  await expect(plots.locator('canvas')).not.toHaveCount(0);
  await plots.scrollIntoViewIfNeeded();
  await picture(page, 'compare-plots');
  await compare.getByLabel('Of which runs').selectOption('these');
  await expect(plots.getByLabel('Parallel coordinates of 2 runs')).toBeVisible();
});
