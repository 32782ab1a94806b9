import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { IPerijove, PerijoveError } from '../api';
import { addEffect, developIcon, registerPage } from '../kit/lab';
import type { RunArgs } from './components/run_page';
import { CurrentNotebook } from './notebook';
import { NotebookPanel } from './panel';
import { runRendererFactory } from './renderer';
import { CommandIDs } from './tokens';

const RUN = {
  args: {
    type: 'object',
    properties: {
      run_id: { type: 'string', description: 'The identifier of the run' },
      name: { type: 'string', description: 'The name of the run, where it is known' }
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
          default: (await import('./components/runs_page')).runsPage(notebook)
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
    perijove.openers.add('run', ({ name }) =>
      commands.execute(CommandIDs.openRun, { run_id: name })
    );

    addEffect(perijove, CommandIDs.stopRun, {
      label: trans.__('Stop Run'),
      describedBy: RUN,
      question: args => ({
        title: trans.__('Stop run %1?', nameOf(args)),
        body: trans.__(
          'The training is interrupted, as by the stop button of the notebook. What it has logged is kept.'
        ),
        accept: trans.__('Stop'),
        warn: true
      }),
      act: async args => {
        await client.post('/operate/stop', { body: { kind: 'run', id: runIdOf(args) } });
        events.announce('develop', 'operate');
      }
    });

    const panel = new NotebookPanel(perijove, notebook);
    shell.add(panel, 'right', { rank: 700, type: 'Notebook' });
    restorer?.add(panel, panel.id);
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

function nameOf(args: { [key: string]: unknown }): string {
  const name = args['name'];
  return typeof name === 'string' ? name : runIdOf(args).slice(0, 8);
}

function runIdOf(args: { [key: string]: unknown }): string {
  const runId = args['run_id'];
  if (typeof runId !== 'string' || runId === '') {
    throw new PerijoveError({
      code: 'no_run',
      message: 'No run was named.',
      hint: 'Stop a run from its page or from its card in the notebook.'
    });
  }
  return runId;
}
