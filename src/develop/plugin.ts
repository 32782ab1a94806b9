import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { IPerijove, PerijoveError, type Stopper, type StopTarget } from '../api';
import {
  addEffect,
  backgroundIcon,
  choose,
  developIcon,
  notifyDone,
  perform,
  permitInOutputs,
  registerPage
} from '../kit/lab';
import { trainInBackground } from './background';
import { addRunCommands } from './commands';
import type { CompareArgs } from './components/compare_page';
import type { RunArgs } from './components/run_page';
import { CurrentNotebook } from './notebook';
import { NotebookPanel } from './panel';
import { runRendererFactory } from './renderer';
import { RunSelection } from './selection';
import { addTableCommands } from './table_commands';
import { CommandIDs } from './tokens';

const RUN = {
  args: {
    type: 'object',
    properties: {
      run_id: { type: 'string', description: 'The identifier of the run' },
      name: { type: 'string', description: 'The name of the run, where it is known' },
      tab: { type: 'string', description: 'The part of its page to show' }
    },
    required: ['run_id']
  }
} as const;

export const develop: JupyterFrontEndPlugin<void> = {
  id: 'perijove:develop',
  description: 'Runs: live curves, comparison, what made them, and the card of a training cell.',
  autoStart: true,
  requires: [IPerijove],
  optional: [ILayoutRestorer, ICommandPalette, INotebookTracker, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    rendermime: IRenderMimeRegistry | null
  ): void => {
    const { commands, shell } = app;
    const { client, events, trans } = perijove;
    const notebook = new CurrentNotebook(notebooks, perijove.project);
    const selection = new RunSelection();

    rendermime?.addFactory(runRendererFactory(perijove), 0);

    registerPage(
      app,
      perijove,
      {
        kind: 'develop',
        label: trans.__('Open Runs'),
        caption: trans.__('The tracked runs of this project and their curves'),
        icon: developIcon,
        load: async () => ({
          default: (await import('./components/runs_page')).runsPage(notebook, selection)
        }),
        title: () => trans.__('Runs')
      },
      { restorer, palette }
    );
    registerPage<RunArgs>(
      app,
      perijove,
      {
        kind: 'run',
        label: trans.__('Open Run'),
        icon: developIcon,
        load: () => import('./components/run_page'),
        title: ({ run_id: runId, name }) => name ?? runId.slice(0, 8),
        name: ({ run_id: runId }) => runId,
        args: RUN
      },
      { restorer, palette }
    );
    registerPage<CompareArgs>(
      app,
      perijove,
      {
        kind: 'compare',
        label: trans.__('Open Comparison of Runs'),
        icon: developIcon,
        load: () => import('./components/compare_page'),
        title: ({ run_ids: ids }) => trans.__('Compare %1 runs', ids.length),
        name: ({ run_ids: ids }) => ids.join(),
        args: {
          args: {
            type: 'object',
            properties: {
              run_ids: {
                type: 'array',
                items: { type: 'string' },
                description: 'Two to twenty runs; the others are told from the first'
              }
            },
            required: ['run_ids']
          }
        }
      },
      { restorer, palette }
    );
    addTableCommands(perijove, selection, palette);
    perijove.openers.add('run', ({ name }) =>
      commands.execute(CommandIDs.openRun, { run_id: name })
    );

    const stopper: Stopper = {
      question: ({ name }) => ({
        title: trans.__('Stop run %1?', name),
        body: trans.__(
          'The training is interrupted, as by the stop button of the notebook. What it has logged is kept.'
        ),
        accept: trans.__('Stop run'),
        warn: true
      }),
      stop: async ({ id }) => {
        const { detail } = await client.post('/operate/stop', { body: { kind: 'run', id } });
        events.announce('develop', 'operate');
        return detail;
      }
    };
    perijove.stoppers.add('run', stopper);
    const targetOf = (args: ReadonlyPartialJSONObject): StopTarget => {
      const { run_id: id, name } = args;
      if (typeof id !== 'string' || id === '') {
        throw new PerijoveError({
          code: 'no_run',
          message: trans.__('No run was named.'),
          hint: trans.__('Stop a run from its page or from its card in the notebook.')
        });
      }
      return { id, name: typeof name === 'string' ? name : id.slice(0, 8) };
    };
    addEffect(perijove, CommandIDs.stopRun, {
      label: trans.__('Stop Run'),
      describedBy: RUN,
      complete: async args => {
        if (typeof args['run_id'] === 'string') {
          return args;
        }
        const { items } = await client.get('/runs', { query: { limit: 200 } });
        const run = await choose(
          trans.__('Stop which run?'),
          items
            .filter(one => one.state === 'running')
            .map(one => ({ label: `${one.name} · ${one.run_id.slice(0, 8)}`, value: one })),
          trans.__('No run of this project is in progress.')
        );
        return run === null ? null : { run_id: run.run_id, name: run.name };
      },
      question: args => stopper.question(targetOf(args)),
      act: async args => notifyDone(await stopper.stop(targetOf(args)))
    });
    palette?.addItem({ command: CommandIDs.stopRun, category: trans.__('Perijove') });

    addRunCommands(app, perijove, notebooks, palette);
    commands.addCommand(CommandIDs.trainInBackground, {
      label: trans.__('Train Cell in Background…'),
      caption: trans.__('Send the active cell to a job that outlives the notebook, after a review'),
      icon: backgroundIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks?.currentWidget?.content.activeCell?.model.type === 'code',
      execute: () => perform(() => trainInBackground(perijove, notebooks))
    });
    notebooks?.activeCellChanged.connect(() => {
      commands.notifyCommandChanged(CommandIDs.trainInBackground);
    });
    palette?.addItem({ command: CommandIDs.trainInBackground, category: trans.__('Perijove') });

    const panel = new NotebookPanel(perijove, notebook);
    shell.add(panel, 'right', { rank: 700, type: 'Notebook' });
    restorer?.add(panel, panel.id);
    permitInOutputs(CommandIDs.showNotebook);
    commands.addCommand(CommandIDs.showNotebook, {
      label: trans.__('Show This Notebook'),
      caption: trans.__('The runs of this notebook, the data it read and what it made'),
      icon: developIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.activateById(panel.id)
    });
    palette?.addItem({ command: CommandIDs.showNotebook, category: trans.__('Perijove') });
  }
};
