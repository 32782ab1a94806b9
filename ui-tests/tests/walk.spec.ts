import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

/**
 * The whole walk with real clicks: the example is made, its notebook is run, a model that leaks
 * is stopped, an honest one goes out, it is asked, and what it was asked shows in the monitor.
 *
 * With the real builds beside the checkout the honest model misses its target, so that it goes
 * out only by an override, which then shows wherever the endpoint is shown. With generated builds
 * it passes, and no override is asked for.
 */
const REAL = resolve(__dirname, '../../../shared/data/ci_builds.csv');
const FOLDER = 'perijove-example';
const NOTEBOOK = `${FOLDER}/notebooks/builds.ipynb`;
const REASON = 'Trial run with the release team, watched by hand until Friday';

/** Cells of the example's notebook. */
const CSV_CELL = 3;
const LEAKY_CELL = 13;
const LEAKY_DEPLOY_CELL = 15;
const HONEST_CELL = 17;

const PICTURES = resolve(__dirname, process.env.PERIJOVE_PICTURES ?? '../test-results/pictures');

test.use({
  actionTimeout: 30_000,
  // Galata answers every address with /api/me in it, which /perijove/api/metrics has, too.
  mockUser: false,
  viewport: { width: 1400, height: 860 }
});

test.beforeAll(() => {
  mkdirSync(PICTURES, { recursive: true });
});

/** Take a picture in the light and in the dark theme. */
async function picture(page: IJupyterLabPageFixture, name: string): Promise<void> {
  for (const [theme, set] of [
    ['dark', () => page.theme.setDarkTheme()],
    ['light', () => page.theme.setLightTheme()]
  ] as const) {
    await set();
    await page.mouse.move(700, 4);
    await page.screenshot({ path: join(PICTURES, `${name}-${theme}.png`), animations: 'disabled' });
  }
}

async function runUpTo(page: IJupyterLabPageFixture, last: number, from: number): Promise<void> {
  for (let cell = from; cell <= last; cell++) {
    await page.notebook.runCell(cell, true);
  }
}

async function openSidebar(page: IJupyterLabPageFixture): Promise<Locator> {
  const tab = page.locator('.jp-SideBar .lm-TabBar-tab[data-id="perijove-sidebar"]');
  if (!(await page.locator('#perijove-sidebar').isVisible())) {
    await tab.click();
  }
  return page.locator('#perijove-sidebar');
}

for (const { name, csv } of [
  { name: 'generated builds', csv: null },
  { name: 'the real builds', csv: REAL }
]) {
  test(`the walk on ${name}`, async ({ page, tmpPath }) => {
    test.skip(csv !== null && !existsSync(csv), 'The real builds do not lie beside the checkout.');
    test.setTimeout(600_000);
    const overridden = csv !== null;
    const shot = (title: string): Promise<void> =>
      picture(page, `${overridden ? 'real-' : ''}${title}`);

    await test.step('Open the example', async () => {
      const sidebar = await openSidebar(page);
      if (await page.contents.directoryExists(FOLDER)) {
        await page.contents.deleteDirectory(FOLDER);
      }
      await sidebar.getByRole('button', { name: 'Refresh Perijove' }).click();
      await sidebar.getByRole('button', { name: 'Open the example' }).click();
      await expect(sidebar.getByText('roc_auc ≥ 0.75 on builds/test')).toBeVisible({
        timeout: 60_000
      });
      await shot('sidebar-start');
    });

    await test.step('Run the notebook up to the model that leaks', async () => {
      await page.sidebar.openTab('filebrowser');
      await page.notebook.openByPath(NOTEBOOK);
      await openSidebar(page);
      await page.notebook.activate('builds.ipynb');
      if (csv !== null) {
        await page.notebook.setCell(CSV_CELL, 'code', `CSV = "${csv}"`);
      }
      await runUpTo(page, LEAKY_CELL, 1);
      const card = page.locator('.pj-Card', { hasText: 'everything' });
      await card.scrollIntoViewIfNeeded();
      await expect(card).toContainText('finished in', { timeout: 60_000 });
      await expect(card).toContainText('size, duration tell the answer');
      await shot('leaky-card');
    });

    const form = page.locator('.pj-Deploy-side');
    await test.step('The gate names what leaks', async () => {
      await page.notebook.runCell(LEAKY_DEPLOY_CELL, true);
      const output = (await page.notebook.getCellTextOutput(LEAKY_DEPLOY_CELL))?.join('\n') ?? '';
      expect(output).toContain('size (known only after the prediction');
      expect(output).toContain('duration (known only after the prediction');
      await page.getByRole('button', { name: 'Deploy model' }).first().click();
      await expect(form.getByLabel('Model', { exact: true })).toContainText('builds_leaky');
      const gate = form.getByRole('region', { name: 'Gate' });
      await expect(gate).toContainText('size');
      await expect(gate).toContainText('duration');
      await expect(form.getByRole('button', { name: /^Deploy builds_leaky/ })).toBeDisabled();
      await shot('gate-leaky');
    });

    await test.step('Train an honest model and watch its curve', async () => {
      await runUpTo(page, HONEST_CELL - 1, LEAKY_DEPLOY_CELL + 1);
      const run = page.notebook.runCell(HONEST_CELL, true);
      const card = page.locator('.pj-Card', { hasText: 'honest' });
      await card.scrollIntoViewIfNeeded({ timeout: 60_000 });
      await expect(card).toContainText(/running/, { timeout: 60_000 });
      await expect(card.locator('canvas')).toBeVisible({ timeout: 60_000 });
      await shot('live-card');
      await run;
      await expect(card).toContainText('finished in', { timeout: 60_000 });
      await shot('honest-card');
      await card.getByRole('button', { name: 'Deploy' }).click();
    });

    await test.step(overridden ? 'Sign for it and deploy' : 'Deploy', async () => {
      const gate = form.getByRole('region', { name: 'Gate' });
      await expect(form.getByRole('button', { name: /^Deploy builds v1/ })).toBeVisible();
      if (overridden) {
        await expect(gate).toContainText(/roc_auc 0\.\d+ on builds\/test, target ≥ 0\.75/);
        await expect(form.getByRole('button', { name: /^Deploy builds v1/ })).toBeDisabled();
        await form.getByRole('button', { name: 'Override the gate…' }).click();
        await form.getByLabel('Your name').fill('Ada Lovelace');
        await form.getByLabel('Reason').fill(REASON);
        await shot('override');
        await form.getByRole('button', { name: /^Override and deploy/ }).click();
      } else {
        await shot('gate-open');
        await form.getByRole('button', { name: /^Deploy builds v1/ }).click();
      }
      await expect(form.getByRole('button', { name: 'Send request' })).toBeVisible({
        timeout: 60_000
      });
    });

    await test.step('Ask it', async () => {
      await form.getByRole('button', { name: 'Send request' }).click();
      const answer = form.getByRole('region', { name: 'Prediction' });
      await expect(answer).toContainText('probability_1');
      await shot('try-it');
    });

    await test.step('Its request is in the monitor', async () => {
      await form.getByRole('button', { name: 'Open endpoint' }).click();
      const endpoint = page.locator('.pj-Page:visible').last();
      await expect(endpoint.getByRole('row', { name: /\b200\b/ }).first()).toBeVisible();
      if (overridden) {
        await expect(endpoint).toContainText('Ada Lovelace');
        await expect(endpoint).toContainText(REASON);
      }
      await shot('monitor');
    });

    await test.step('The chain shows all of it', async () => {
      const sidebar = await openSidebar(page);
      await expect(sidebar).toContainText('builds r1');
      await shot('sidebar-end');
      await page.sidebar.close('right');
      for (const [kind, text] of [
        ['lineage', 'builds_raw v1'],
        ['problem', 'roc_auc'],
        ['data', 'builds_raw'],
        ['develop', 'honest'],
        ['deploy', 'builds'],
        ['monitor', 'builds'],
        ['operate', 'builds']
      ] as const) {
        await open(page, kind);
        await expect(page.locator('.pj-Page:visible').getByText(text).first()).toBeVisible();
        await shot(`page-${kind}`);
      }
    });

    await test.step('Stop the endpoint', async () => {
      const stopped = await page.request.post(
        `/perijove/api/endpoints/builds/stop?project=${FOLDER}`,
        { headers: { 'X-XSRFToken': await xsrf(page) } }
      );
      expect(stopped.status()).toBe(200);
      await page.contents.deleteDirectory(tmpPath);
    });
  });
}

/** Open a page by its command, as the palette does. */
async function open(page: IJupyterLabPageFixture, kind: string): Promise<void> {
  await page.evaluate(async id => {
    await window.jupyterapp.commands.execute(id);
  }, `perijove:open-${kind}`);
}

async function xsrf(page: IJupyterLabPageFixture): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.find(cookie => cookie.name === '_xsrf')?.value ?? '';
}
