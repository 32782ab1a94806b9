import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type IPerijove, type Kpi, type RunSummary } from '../api';
import { duration } from '../kit/format';
import { addEffect, choose, notifyDone, perform } from '../kit/lab';
import { isSystem } from './look';
import { openRunNotebook, revealCell } from './notebook';
import { kpiOf } from './target';
import { CommandIDs } from './tokens';

const RUN = {
  args: {
    type: 'object',
    properties: {
      run_id: { type: 'string', description: 'The run; asked for when left out' },
      name: { type: 'string', description: 'The name of the run, where it is known' }
    }
  }
} as const;

/** Commands about one run. */
export function addRunCommands(
  app: JupyterFrontEnd,
  perijove: IPerijove,
  notebooks: INotebookTracker | null,
  palette: ICommandPalette | null
): void {
  const { commands } = app;
  const { client, events, trans } = perijove;

  const named = (args: ReadonlyPartialJSONObject): string => {
    if (typeof args['run_id'] !== 'string') {
      throw new PerijoveError({
        code: 'no_run',
        message: trans.__('The command names no run.'),
        hint: trans.__('Do it on the page of the run.')
      });
    }
    return args['run_id'];
  };
  /** Ask for the run where the command does not name it, as from the palette. */
  const askFor =
    (title: string) =>
    async (args: ReadonlyPartialJSONObject): Promise<ReadonlyPartialJSONObject | null> => {
      if (typeof args['run_id'] === 'string') {
        return args;
      }
      const { items } = await client.get('/runs', { query: { limit: 200 } });
      const run = await choose(
        title,
        items.map(one => ({ label: `${one.name} · ${one.run_id.slice(0, 8)}`, value: one })),
        trans.__('This project has no run yet.')
      );
      return run === null ? null : { run_id: run.run_id, name: run.name };
    };

  addEffect(perijove, CommandIDs.rerunRun, {
    label: trans.__('Rerun and Verify Run'),
    caption: trans.__('Prove a run: run its cells again in a fresh environment, and compare'),
    describedBy: RUN,
    complete: askFor(trans.__('Rerun which run?')),
    question: async args => {
      const run = await client.get('/runs/{run_id}', { path: { run_id: named(args) } });
      const { name, started, ended } = run.summary;
      if (run.obstacle !== '') {
        throw new PerijoveError({
          code: 'no_rerun',
          message: trans.__('%1 cannot be run again: %2', name, run.obstacle),
          hint: ''
        });
      }
      const cells = trans._n(
        'Its %1 recorded cell runs',
        'Its %1 recorded cells run',
        run.cells.length
      );
      const took =
        ended === null
          ? ''
          : ' ' + trans.__('The run itself took %1.', duration(Math.max(0, ended - started)));
      return {
        title: trans.__('Rerun and verify %1?', name),
        body:
          trans.__(
            '%1 in a fresh environment, on the same data, as a job that makes a run of its own.',
            cells
          ) + took,
        accept: trans.__('Rerun and verify')
      };
    },
    act: async args => {
      const runId = named(args);
      await client.post('/runs/{run_id}/rerun', { path: { run_id: runId }, body: {} });
      events.announce('develop', 'operate');
      await commands.execute(CommandIDs.openRun, { run_id: runId, tab: 'verify' });
    }
  });

  commands.addCommand(CommandIDs.compareWithBest, {
    label: trans.__('Compare Run with Best'),
    caption: trans.__('Open a run beside the best one of the project'),
    describedBy: RUN,
    execute: given =>
      perform(async () => {
        const args = await askFor(trans.__('Compare which run?'))(given);
        if (args === null) {
          return;
        }
        const run = await client.get('/runs/{run_id}', { path: { run_id: named(args) } });
        const { kpis } = await client.get('/project');
        const best = await bestOf(perijove, run.summary, kpis);
        if (best === run.summary.run_id) {
          notifyDone(trans.__('%1 is the best run.', run.summary.name));
        } else if (best === undefined) {
          notifyDone(trans.__('There is no other run to compare %1 with.', run.summary.name));
        } else {
          await commands.execute(CommandIDs.compare, { run_ids: [best, run.summary.run_id] });
        }
      })
  });

  commands.addCommand(CommandIDs.showCell, {
    label: trans.__('Open Notebook at a Cell of a Run'),
    describedBy: {
      args: {
        type: 'object',
        required: ['notebook'],
        properties: {
          notebook: { type: 'string', description: 'Path of the notebook in the project' },
          number: { type: 'number', description: 'The execution count of the cell' },
          source: { type: 'string', description: 'The text of the cell' }
        }
      }
    },
    execute: ({ notebook, number, source }) =>
      perform(async () => {
        if (typeof notebook === 'string') {
          await revealCell(app, perijove, notebooks, notebook, {
            number: typeof number === 'number' ? number : -1,
            source: typeof source === 'string' ? source : ''
          });
        }
      })
  });

  commands.addCommand(CommandIDs.saveRunNotebook, {
    label: trans.__('Save Run as Notebook'),
    caption: trans.__(
      'Write the cells that made a run into a notebook of the project, and open it'
    ),
    describedBy: RUN,
    execute: given =>
      perform(async () => {
        const args = await askFor(trans.__('Save which run as a notebook?'))(given);
        if (args !== null) {
          await openRunNotebook(app, perijove, named(args));
        }
      })
  });

  const category = trans.__('Perijove');
  for (const command of [
    CommandIDs.rerunRun,
    CommandIDs.compareWithBest,
    CommandIDs.saveRunNotebook
  ]) {
    palette?.addItem({ command, category });
  }
}

/** The best run by the first of this run's metrics that has a target, else by its first metric. */
async function bestOf(
  { client }: IPerijove,
  run: RunSummary,
  kpis: readonly Kpi[]
): Promise<string | undefined> {
  const metrics = Object.keys(run.metrics).sort();
  const metric =
    metrics.find(key => kpiOf(key, kpis) !== undefined) ?? metrics.find(key => !isSystem(key));
  if (metric === undefined) {
    return undefined;
  }
  const column = `metrics.${metric}`;
  const { best } = await client.post('/runs/table', { body: { columns: [column], limit: 1 } });
  return best[metric] ?? best[column];
}
