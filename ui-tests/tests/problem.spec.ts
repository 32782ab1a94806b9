import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';

const GOOD = '# kept\n[project]\nname = "targets"\nquestion = "Why?"\nowner = "Ada"\n';
const BROKEN = '[project]\nname = "targets"\nowner = 3\n';

test.use({ mockUser: false, actionTimeout: 30_000 });

async function open(page: IJupyterLabPageFixture, project: string): Promise<void> {
  await page.getByRole('tab', { name: 'Perijove' }).first().click();
  await page.evaluate(async path => {
    await window.jupyterapp.commands.execute('perijove:switch-project', { path });
  }, project);
  await page.getByRole('treeitem', { name: /1 Problem/ }).click();
}

test('the page follows the file, also when it is broken and mended', async ({ page, tmpPath }) => {
  const file = `${tmpPath}/perijove.toml`;
  await page.contents.uploadContent(GOOD, 'text', file);
  await open(page, tmpPath);
  const project = page.locator('.pj-Page:visible');
  await expect(project).toContainText('Why?');

  await page.contents.uploadContent(BROKEN, 'text', file);
  await expect(page.getByText(/perijove\.toml, line 3/).first()).toBeVisible();

  await page.contents.uploadContent(GOOD.replace('Why?', 'Why not?'), 'text', file);
  await expect(project).toContainText('Why not?');
  await expect(page.getByText(/perijove\.toml, line 3/)).toHaveCount(0);
});
