import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import baseConfig from '@jupyterlab/galata/lib/playwright-config';
import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';

/**
 * Ask the system for a free port.
 *
 * The configuration is read by the runner and again by its worker, so that the answer is kept in
 * the environment, which the worker inherits.
 */
function freePort(): string {
  const script =
    "const s = require('net').createServer(); s.listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })";
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}

process.env.PERIJOVE_UI_PORT ??= freePort();
process.env.PERIJOVE_UI_ROOT ??= mkdtempSync(join(tmpdir(), 'perijove-ui-'));

const baseURL = `http://127.0.0.1:${process.env.PERIJOVE_UI_PORT}`;
// Galata's own fixtures read the address from here.
process.env.TARGET_URL = baseURL;

const galata = baseConfig as PlaywrightTestConfig;

export default defineConfig({
  ...galata,
  testDir: './tests',
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: false,
  retries: 0,
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: process.env.CI ? [['list']] : [['list'], ['html', { open: 'never' }]],
  use: {
    ...galata.use,
    baseURL,
    video: 'off',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage',
        // A canvas is three times as quick with these.
        '--use-angle=swiftshader',
        '--enable-unsafe-swiftshader'
      ]
    }
  },
  webServer: {
    command: 'jupyter lab --config jupyter_server_test_config.py',
    url: `${baseURL}/lab`,
    timeout: 120_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 }
  }
});
