import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Galata answers every address with /api/me in it, which /perijove/api/metrics has, too.
test.use({ mockUser: false, actionTimeout: 30_000, viewport: { width: 1400, height: 860 } });

/** A training cell that waits at its sixth step until a file is there. */
const TRAIN = `%%train --seed 3
import time
for step in range(10):
    pj.log(step=step, loss=scale / (step + 1))
    print("step", step, flush=True)
    while step == 5 and not Path("go").exists():
        time.sleep(0.05)`;

const CELLS = [
  '%load_ext perijove\nimport perijove as pj\nfrom pathlib import Path',
  'scale = 2.0',
  '# perijove: skip\nprint("only here")',
  TRAIN
];

/** A run with a file of each kind, and a model that MLflow logged. */
const LEFT = `
import json, struct, sys, zlib
from pathlib import Path
from mlflow import MlflowClient
from perijove.adapters.mlflow import database
from perijove.core.paths import ProjectPaths

paths = ProjectPaths(Path.cwd())
database.ensure_database(paths)
client = MlflowClient(tracking_uri=database.tracking_uri(paths))
run = client.create_run("0", run_name="left <b>much</b>").info.run_id
client.log_text(run, "# Report\\n\\nAll **good**.\\n\\n<script>window.hacked = true</script>\\n", "report.md")
client.log_text(run, "a,b\\n" + "".join(f"{i},x{i}\\n" for i in range(500)), "rows.csv")
client.log_text(run, json.dumps({"nested": {"value": 1}}), "deep/er/facts.json")
plot = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "width": 200, "height": 100,
    "data": {"values": [{"a": "x", "b": 3}, {"a": "y", "b": 5}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}
client.log_text(run, json.dumps(plot), "bars.vl.json")
client.log_text(run, json.dumps({**plot, "data": {"url": "/api/status"}}), "reaches_out.vl.json")

def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
png += chunk(b"IDAT", zlib.compress(b"".join(b"\\0" + b"\\x40\\x80\\xc0" * 8 for _ in range(8)))) + chunk(b"IEND", b"")
Path("dot.png").write_bytes(png)
client.log_artifact(run, "dot.png")

model = client.create_logged_model("0", name="clf", source_run_id=run)
from urllib.parse import unquote, urlsplit
folder = Path(unquote(urlsplit(model.artifact_location).path))
folder.mkdir(parents=True, exist_ok=True)
(folder / "MLmodel").write_text("flavors:\\n  sklearn:\\n    serialization_format: skops\\n    pickled_model: model.skops\\n")
(folder / "model.skops").write_bytes(b"not looked into")
client.finalize_logged_model(model.model_id, "READY")
client.set_terminated(run)
print(run)
`;

function folderOf(folder: string): string {
  return join(process.env.PERIJOVE_UI_ROOT ?? '', folder);
}

/** Run Python where the server of these tests keeps its files. */
function python(folder: string, code: string): string {
  return execFileSync('python', ['-c', code], {
    cwd: folderOf(folder),
    encoding: 'utf8',
    timeout: 120_000
  }).trim();
}

function execute(
  page: IJupyterLabPageFixture,
  command: string,
  args: Record<string, string> = {}
): Promise<void> {
  return page.evaluate(
    async ([id, given]) => {
      await window.jupyterapp.commands.execute(id, given);
    },
    [command, args] as const
  );
}

async function openProject(page: IJupyterLabPageFixture, folder: string): Promise<void> {
  await page.contents.uploadContent(
    '[project]\nname = "trains"\n\n[[kpi]]\nmetric = "roc_auc"\ndata = "rows"\ntarget = 0.8\nsplit = "test"\n',
    'text',
    `${folder}/perijove.toml`
  );
  await execute(page, 'perijove:refresh');
  await execute(page, 'perijove:switch-project', { path: folder });
}

/** The page of ours that is in front. */
function front(page: IJupyterLabPageFixture): Locator {
  return page.locator('.pj-Page:visible');
}

/** Send the training cell to the background under a name, by its button. */
async function send(page: IJupyterLabPageFixture, name: string): Promise<void> {
  await page.notebook.selectCells(3);
  await page.getByRole('button', { name: 'Send the active cell to a job' }).click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog.getByRole('checkbox')).toHaveCount(3);
  await dialog.getByLabel('Name of the run').fill(name);
  await dialog.getByRole('button', { name: 'Train in background' }).click();
  await expect(page.locator('.pj-Card', { hasText: name })).toContainText(
    'running in the background',
    { timeout: 60_000 }
  );
}

test('a cell trains in the background, is followed, stopped, and proved', async ({
  page,
  tmpPath
}) => {
  test.setTimeout(300_000);
  const go = join(folderOf(tmpPath), 'go');
  await openProject(page, tmpPath);
  await page.notebook.createNew('trains.ipynb');
  for (const [index, source] of CELLS.entries()) {
    if (index > 0) {
      await page.notebook.addCell('code', source);
    } else {
      await page.notebook.setCell(0, 'code', source);
    }
  }
  await page.notebook.save();
  for (const cell of [0, 1, 2]) {
    await page.notebook.runCell(cell, true);
  }

  await test.step('The review names what goes along and what does not', async () => {
    await page.notebook.selectCells(3);
    await page.getByRole('button', { name: 'Send the active cell to a job' }).click();
    const dialog = page.locator('.jp-Dialog');
    await expect(dialog.getByRole('checkbox', { name: /scale = 2/ })).toBeChecked();
    await expect(dialog.getByRole('checkbox', { name: /only here/ })).not.toBeChecked();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.locator('.pj-Card')).toHaveCount(0);
  });

  const card = page.locator('.pj-Card', { hasText: 'first' });
  await test.step('Its log is followed', async () => {
    await send(page, 'first');
    await card.getByRole('button', { name: 'Open' }).click();
    const run = front(page).locator('.pj-Run');
    await expect(run.locator('.pj-PageHeader')).toContainText('in the background');
    await run.getByRole('tab', { name: 'Log' }).click();
    await expect(run.getByRole('log')).toContainText('step 5');
    await expect(run.getByRole('log')).not.toContainText('step 6');
    writeFileSync(go, '');
    await expect(run.getByRole('log')).toContainText('step 9');
    await expect(run.locator('.pj-PageHeader')).toContainText('finished');
    await expect(page.locator('.jp-toastContainer')).toContainText('first has finished.');
  });

  await test.step('It is proved by running it again', async () => {
    const run = front(page).locator('.pj-Run');
    await run.getByRole('tab', { name: 'Verify' }).click();
    await run.getByRole('button', { name: 'Rerun and verify' }).click();
    await page.locator('.jp-Dialog').getByRole('button', { name: 'Rerun and verify' }).click();
    const certificate = run.getByRole('region', { name: 'Certificate' });
    await expect(certificate).toContainText('verified', { timeout: 180_000 });
    await expect(certificate.getByRole('row', { name: /^loss/ })).toContainText('all 10 points');
  });

  await test.step('The card stays in the notebook, as the run stands', async () => {
    await page.notebook.activate('trains.ipynb');
    await card.scrollIntoViewIfNeeded();
    await expect(card).toContainText('finished in');
    await expect(card).toContainText('verified');
  });

  await test.step('A job is stopped from its page, and tried again', async () => {
    rmSync(go);
    await send(page, 'second');
    await execute(page, 'perijove:open-operate');
    const jobs = front(page).getByRole('grid', { name: 'Jobs of the project' });
    await jobs.getByRole('row', { name: /second/ }).click();
    const job = front(page).locator('.pj-JobPage');
    await expect(job.getByRole('log')).toContainText('step 5');
    await job.getByRole('button', { name: 'Stop job' }).click();
    await page.locator('.jp-Dialog').getByRole('button', { name: 'Stop job' }).click();
    await expect(job.locator('.pj-PageHeader')).toContainText('stopped', { timeout: 60_000 });
    writeFileSync(go, '');
    await job.getByRole('button', { name: 'Retry from the start' }).click();
    await expect(job.getByText('attempt 2, after')).toBeVisible();
    await expect(job.locator('.pj-PageHeader')).toContainText('finished', { timeout: 60_000 });
    await expect(job.getByRole('log')).toContainText('step 9');
  });
});

test('what a run left is looked at, and its model registered', async ({ page, tmpPath }) => {
  test.setTimeout(240_000);
  await openProject(page, tmpPath);
  const run = python(tmpPath, LEFT);
  await execute(page, 'perijove:open-run', { run_id: run, tab: 'artifacts' });
  const shown = front(page).locator('.pj-Run');
  const tree = shown.getByRole('tree', { name: 'Artifacts' });
  const view = shown.locator('.pj-Artifacts-view');
  const choose = (name: string): Promise<void> =>
    tree.getByRole('treeitem', { name: new RegExp(`^${name}`) }).click();

  await test.step('Each file as what it is', async () => {
    await choose('dot.png');
    await expect(view.getByRole('img', { name: 'dot.png' })).toHaveJSProperty('naturalWidth', 8);
    await choose('report.md');
    await expect(view.getByRole('heading', { name: 'Report' })).toBeVisible();
    await choose('bars.vl.json');
    await expect(view.locator('canvas')).toBeVisible();
    await choose('rows.csv');
    await expect(view.getByText('The first 200 of 500 rows are shown.')).toBeVisible({
      timeout: 60_000
    });
    await choose('deep');
    await choose('er');
    await choose('facts.json');
    await expect(view.getByLabel('deep/er/facts.json')).toContainText('"value": 1');
  });

  await test.step('Nothing in a file runs or reaches out', async () => {
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    const asked: string[] = [];
    page.on('request', request => asked.push(request.url()));
    await choose('reaches_out.vl.json');
    await expect(view.locator('.pj-Vega')).toBeVisible();
    await page.waitForTimeout(500);
    expect(asked.filter(url => url.includes('/api/status'))).toEqual([]);
    await expect(shown.locator('b', { hasText: 'much' })).toHaveCount(0);
  });

  await test.step('The model becomes a version', async () => {
    await choose('clf');
    await view.getByRole('button', { name: 'Register model' }).click();
    const dialog = page.locator('.jp-Dialog');
    await dialog.getByRole('textbox').fill('churn');
    await dialog.getByRole('button', { name: 'Register model' }).click();
    const model = front(page).locator('.pj-PageHeader', { hasText: 'churn v1' });
    await expect(model).toBeVisible({ timeout: 90_000 });
    await model.getByRole('button', { name: 'Add alias' }).click();
    await dialog.getByRole('textbox').fill('challenger');
    await dialog.getByRole('button', { name: 'Set alias' }).click();
    await expect(model.getByRole('group', { name: 'Aliases' })).toContainText('challenger', {
      timeout: 90_000
    });
    await front(page).getByRole('tab', { name: 'Model card' }).click();
    await expect(front(page).getByText('to be filled').first()).toBeVisible();
  });
});
