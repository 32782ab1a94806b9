import { expect, test } from '@jupyterlab/galata';

const BIG = 1368338379971760128n;
const CSV = `build,result,size\n${BIG},FAILURE,10\n${BIG + 1n},SUCCESS,\n${BIG + 2n},SUCCESS,30\n`;

test.use({ mockUser: false, actionTimeout: 30_000 });

test.beforeEach(async ({ page, tmpPath }) => {
  await page.contents.uploadContent(
    '[project]\nname = "clicks"\n',
    'text',
    `${tmpPath}/perijove.toml`
  );
  await page.contents.uploadContent(CSV, 'text', `${tmpPath}/builds.csv`);
  await page.contents.uploadContent('\u0089PNG\u0000\u0000', 'text', `${tmpPath}/image.csv`);
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory(tmpPath);
});

test('a file is registered by a click, and its rows are seen', async ({ page, tmpPath }) => {
  await page.filebrowser.refresh();
  await page.getByRole('listitem', { name: /^Name: builds\.csv/ }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Register as Dataset' }).click();
  await page.getByRole('button', { name: 'Open', exact: true }).click();

  const dataset = page.locator('.pj-Page:visible', { hasText: 'builds' });
  await expect(dataset).toContainText('3 rows');
  await expect(dataset.locator('.lm-DataGrid')).toBeVisible();
  const definition = await page.request.get(
    `/perijove/api/datasets/builds?project=${encodeURIComponent(tmpPath)}`
  );
  expect(((await definition.json()) as { facts: { path: string } }).facts.path).toBe('builds.csv');
});

test('a CSV that is none says why, and nothing is registered', async ({ page, tmpPath }) => {
  await page.filebrowser.refresh();
  await page.getByRole('listitem', { name: /^Name: image\.csv/ }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Register as Dataset' }).click();
  await expect(page.getByText(/binary data, not text/).first()).toBeVisible();
  const listed = await page.request.get(
    `/perijove/api/datasets?project=${encodeURIComponent(tmpPath)}`
  );
  expect(await listed.json()).toEqual({ items: [] });
});
