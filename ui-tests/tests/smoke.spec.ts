import { expect, test } from '@jupyterlab/galata';

const PLUGINS = ['sidebar', 'problem', 'data', 'develop', 'deploy', 'monitor', 'operate'].map(
  name => `perijove:${name}`
);

test('JupyterLab starts with every plugin of Perijove active', async ({ page }) => {
  const states = await page.evaluate(ids => {
    const app = window.jupyterapp;
    return ids.map(id => ({
      id,
      active: app.hasPlugin(id) && app.isPluginActivated(id)
    }));
  }, PLUGINS);

  expect(states).toEqual(PLUGINS.map(id => ({ id, active: true })));
});

test('the server extension is enabled', async ({ page, request, baseURL }) => {
  expect(await page.title()).toContain('JupyterLab');
  const response = await request.get(`${baseURL}/perijove/api/openapi.json`);
  expect(response.status()).toBe(200);
  const document = (await response.json()) as { info: { title: string } };
  expect(document.info.title).toContain('Perijove');
});
