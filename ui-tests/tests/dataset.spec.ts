import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

test.use({ mockUser: false, actionTimeout: 30_000 });

const ROWS = 6000;
/** A file with holes, a doubled row, values out of range, and text that looks like HTML. */
const MAKE = `
import numpy as np, pandas as pd, perijove as pj
rng = np.random.default_rng(0)
rows = ${ROWS}
frame = pd.DataFrame({
    "id": 2**60 + np.arange(rows),
    "size": rng.integers(0, 1000, rows).astype(float),
    "city": rng.choice(["Paris", "<b>Oslo</b>", "Żary"], rows),
    "start": 1_700_000_000 + np.arange(rows) * 60,
})
frame.loc[::500, "size"] = None
frame.loc[7, "size"] = -5
frame.to_csv("builds.csv", index=False)
pj.register("builds.csv", name="raw", time="start")

@pj.curate("builds", inputs=["raw"])
def builds(raw, least=0):
    return raw[raw["size"] >= least]

`;

/** Run Python where the server of these tests keeps its files, as a notebook would. */
function python(folder: string, code: string): string {
  const root = process.env.PERIJOVE_UI_ROOT ?? '';
  return execFileSync('python', ['-c', code], {
    cwd: join(root, folder),
    encoding: 'utf8',
    timeout: 60_000
  });
}

test.beforeEach(async ({ page, tmpPath }) => {
  await page.contents.uploadContent(
    '[project]\nname = "looks"\n',
    'text',
    `${tmpPath}/perijove.toml`
  );
  // A function can be recorded only where its source can be read.
  await page.contents.uploadContent(MAKE, 'text', `${tmpPath}/make.py`);
  await page.contents.uploadContent(
    '[[rule]]\nid = "size_range"\ncheck = "range"\ncolumns = ["size"]\nminimum = "0"\naction = "quarantine"\n',
    'text',
    `${tmpPath}/rules-builds.toml`
  );
});

async function openProject(page: IJupyterLabPageFixture, folder: string): Promise<void> {
  await page.evaluate(async path => {
    await window.jupyterapp.commands.execute('perijove:refresh');
    await window.jupyterapp.commands.execute('perijove:switch-project', { path });
  }, folder);
}

async function openDataset(page: IJupyterLabPageFixture, name: string): Promise<Locator> {
  await page.evaluate(async given => {
    await window.jupyterapp.commands.execute('perijove:open-dataset', { name: given });
  }, name);
  const dataset = page.locator('.pj-Page:visible .pj-Dataset');
  await expect(dataset).toBeVisible();
  return dataset;
}

test('rows are filtered, sorted, found, written as code and exported', async ({
  page,
  tmpPath
}) => {
  python(tmpPath, 'import make');
  await openProject(page, tmpPath);
  const dataset = await openDataset(page, 'raw');
  const grid = dataset.locator('.lm-DataGrid');
  const range = dataset.locator('.pj-Rows-range');
  await expect(grid).toBeVisible();
  await expect(range).toContainText(/of 6,000/);

  // A filter, by its form.
  await dataset.getByRole('button', { name: 'Filter', exact: true }).click();
  const form = dataset.getByRole('dialog', { name: 'Filter' });
  await form.getByLabel('Column').selectOption('size');
  await form.getByLabel('Condition').selectOption('>=');
  await form.getByLabel('Value').fill('900');
  await form.getByRole('button', { name: 'Add filter' }).click();
  await expect(dataset.getByRole('button', { name: 'size ≥ 900' })).toBeVisible();
  await expect(range).toContainText(/of \d+ \(of 6,000\)/);

  // A sort by a click on a header: the grid stays the one that it was.
  const first = await grid.elementHandle();
  const box = (await grid.boundingBox())!;
  await page.mouse.click(box.x + 130, box.y + 20);
  await expect(dataset.getByRole('button', { name: '▲ id' })).toBeVisible();
  expect(await first.evaluate(node => node.isConnected)).toBe(true);

  // A value is found in rows that were never looked at.
  await dataset.getByRole('button', { name: 'Remove the filter on size' }).click();
  await dataset.getByRole('button', { name: 'Find', exact: true }).click();
  const wanted = String(2n ** 60n + 5_432n);
  await dataset.getByLabel('Find in all rows').fill(wanted);
  await expect(async () => {
    // Refused while the sorted copy is being made.
    await page.keyboard.press('Enter');
    await expect(dataset.locator('.pj-Rows-cursor')).toContainText(wanted, { timeout: 3000 });
  }).toPass();
  await expect(dataset.locator('.pj-Rows-cursor')).toContainText('row 5,433');

  // HTML is text.
  await expect(dataset.locator('b', { hasText: 'Oslo' })).toHaveCount(0);

  await dataset.getByRole('button', { name: 'Code', exact: true }).click();
  await expect(dataset.getByLabel('Code of this view')).toContainText('raw@1');
  await dataset.getByRole('tab', { name: 'SQL' }).click();
  await expect(dataset.getByLabel('Code of this view')).toContainText(/ORDER BY/i);
  await page.keyboard.press('Escape');

  await dataset.getByRole('button', { name: 'Export', exact: true }).click();
  const form2 = dataset.getByRole('dialog', { name: 'Export' });
  await form2.getByLabel('File in the project').fill('out/view');
  await form2.getByLabel('Format').selectOption('csv');
  await form2.getByRole('button', { name: 'Export' }).click();
  const file = join(process.env.PERIJOVE_UI_ROOT ?? '', tmpPath, 'out/view.csv');
  await expect.poll(() => existsSync(file)).toBe(true);
  expect(readFileSync(file, 'utf8').trim().split('\n').length).toBe(ROWS + 1);
});

test('rows that are scrolled to look as if they were painted at once', async ({
  page,
  tmpPath
}) => {
  // Too narrow for all columns.
  await page.setViewportSize({ width: 420, height: 640 });
  python(tmpPath, 'import make');
  await openProject(page, tmpPath);
  await page.sidebar.close('left');
  const profiled = page.waitForResponse(reply => reply.url().includes('/profile?'));
  const dataset = await openDataset(page, 'raw');
  await profiled;
  const grid = dataset.locator('.lm-DataGrid');
  await expect(grid.locator('.lm-ScrollBar[data-orientation="horizontal"]')).toBeVisible();
  const box = (await grid.boundingBox())!;
  const painted = (): Promise<string> =>
    grid.evaluate(node => node.querySelector('canvas')!.toDataURL());
  // A theme paints everything anew.
  const repaint = (): Promise<void> =>
    page.evaluate(() => {
      const { body } = document;
      body.setAttribute('data-jp-theme-name', body.getAttribute('data-jp-theme-name') ?? '');
    });
  // The headers have what they show when a second look shows no more.
  await expect(async () => {
    const before = await painted();
    await page.waitForTimeout(100);
    await repaint();
    expect(await painted()).toBe(before);
  }).toPass();
  const top = await painted();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (const [x, y] of [
    [40, 57],
    [-13, 31],
    [0, 222],
    [25, -101],
    [-17, -29]
  ] as const) {
    await page.mouse.wheel(x, y);
    await page.waitForTimeout(50);
  }
  const scrolled = await painted();
  expect(scrolled).not.toBe(top);
  await repaint();
  expect(await painted()).toBe(scrolled);
});

test('rules are suggested, checked, and set rows aside', async ({ page, tmpPath }) => {
  python(tmpPath, 'import make');
  await openProject(page, tmpPath);
  const dataset = await openDataset(page, 'raw');
  await dataset.getByRole('tab', { name: /^Rules/ }).click();
  await dataset.getByRole('button', { name: 'Suggest rules' }).click();
  const drawer = dataset.getByRole('complementary', { name: 'Suggested rules' });
  await expect(drawer.getByText('id is unique')).toBeVisible();
  await drawer.getByRole('button', { name: /^Add all/ }).click();
  await expect(dataset.getByRole('row', { name: /id is unique/ })).toBeVisible();
  await dataset.getByRole('button', { name: 'Check version 1' }).click();
  await expect(dataset.getByText('all pass')).toBeVisible();

  // A rule that fails says how many rows, and shows them.
  await dataset.getByRole('button', { name: 'Add rule' }).click();
  const form = dataset.getByRole('complementary', { name: 'New rule' });
  await form.getByLabel('What must hold').selectOption('range');
  await form.getByLabel('Columns').fill('size');
  await form.getByLabel('At least').fill('0');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(form).toBeHidden();
  await dataset.getByRole('button', { name: 'Check version 1' }).click();
  await expect(dataset.getByText('1 rule fails')).toBeVisible();
  await expect(dataset.getByRole('row', { name: /size ≥ 0/ })).toContainText('1');
});

test('a version is made again, compared, and its lineage walked', async ({ page, tmpPath }) => {
  python(
    tmpPath,
    'import os; os.makedirs("rules"); os.rename("rules-builds.toml", "rules/builds.toml"); import make; make.builds(); make.builds(least=100)'
  );
  await openProject(page, tmpPath);
  const dataset = await openDataset(page, 'builds');
  await dataset.getByRole('tab', { name: /^Versions/ }).click();
  await dataset.getByRole('button', { name: 'Make version 2 again' }).click();
  await page.locator('.jp-Dialog').getByRole('button', { name: 'Make again' }).click();
  await expect(dataset.locator('.pj-Proof')).toContainText('identical', { timeout: 60_000 });

  await dataset.getByLabel('Compare version 2 with').selectOption('1');
  const diff = dataset.getByRole('complementary', { name: 'version 1 to version 2' });
  await expect(diff).toContainText('Rows removed');

  // An older version is shown as such, and the tab stays.
  await dataset.getByLabel('Version', { exact: true }).selectOption('1');
  await expect(dataset.getByText('This is version 1 of 2.')).toBeVisible();
  await expect(dataset.getByRole('tab', { name: /^Versions/ })).toHaveAttribute(
    'aria-selected',
    'true'
  );

  await page.evaluate(() =>
    window.jupyterapp.commands.execute('perijove:open-lineage').then(() => null)
  );
  const lineage = page.locator('.pj-Page:visible', { hasText: 'From the data to the outcomes' });
  await lineage.getByText('builds v2', { exact: true }).click();
  await expect(lineage).toContainText('raw v1');
  await expect(lineage).toContainText('the same rows');
});

test('tables of a kernel are looked at while a cell runs', async ({ page, tmpPath }) => {
  const cell = (source: string): object => ({
    cell_type: 'code',
    execution_count: null,
    metadata: {},
    outputs: [],
    source
  });
  const notebook = {
    nbformat: 4,
    nbformat_minor: 4,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    cells: [
      cell(
        '%load_ext perijove\nimport pandas as pd\nframe = pd.DataFrame({"n": range(50_000), "html": "<i>x</i>"})'
      ),
      // Busy until the test has seen the rows.
      cell('import os, time\nwhile not os.path.exists("seen"): time.sleep(0.05)')
    ]
  };
  await page.contents.uploadContent(JSON.stringify(notebook), 'text', `${tmpPath}/busy.ipynb`);
  await openProject(page, tmpPath);
  await page.notebook.openByPath(`${tmpPath}/busy.ipynb`);
  await expect(page.getByText('Python 3 (ipykernel) | Idle')).toBeVisible();
  await page.evaluate(() => {
    void window.jupyterapp.commands.execute('notebook:run-all-cells');
  });
  await expect(page.getByText('Perijove: project looks', { exact: false })).toBeVisible();
  await page.evaluate(() =>
    window.jupyterapp.commands.execute('perijove:data-show-variables').then(() => null)
  );
  const tables = page.locator('.pj-Page:visible .pj-Variables');
  await tables.getByRole('row', { name: /frame/ }).click();
  await expect(tables.locator('.lm-DataGrid')).toBeVisible();
  await expect(tables.locator('.pj-Rows-range')).toContainText('of 50,000');
  await page.contents.uploadContent('', 'text', `${tmpPath}/seen`);
});
