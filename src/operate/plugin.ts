import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { IPerijove, PerijoveError, type Stopper, type StopTarget } from '../api';
import { addEffect, notifyDone, operateIcon, registerPage } from '../kit/lab';
import type { JobArgs } from './components/job_page';
import { addEffects } from './effects';
import { tellEndings } from './endings';
import { CommandIDs } from './tokens';

export const operate: JupyterFrontEndPlugin<void> = {
  id: 'perijove:operate',
  description: 'The machine, and every process and job that the project runs on it.',
  autoStart: true,
  requires: [IPerijove],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { trans, openers, stoppers } = perijove;
    const host = { restorer, palette };
    registerPage(
      app,
      perijove,
      {
        kind: 'operate',
        label: trans.__('Open Operations'),
        caption: trans.__('The machine, and what the project runs on it'),
        icon: operateIcon,
        load: () => import('./components/operate_page'),
        title: () => trans.__('Operate')
      },
      host
    );
    registerPage<JobArgs>(
      app,
      perijove,
      {
        kind: 'job',
        label: trans.__('Open Job'),
        icon: operateIcon,
        load: () => import('./components/job_page'),
        title: ({ id }) => trans.__('Job %1', id),
        name: ({ id }) => id,
        args: {
          args: {
            type: 'object',
            properties: { id: { type: 'string', description: 'The identifier of the job' } },
            required: ['id']
          }
        }
      },
      host
    );
    openers.add('kernel', () => app.commands.execute(CommandIDs.openOperate));
    openers.add('job', ({ name }) => app.commands.execute(CommandIDs.openJob, { id: name }));
    addEffects(perijove);
    tellEndings(perijove);

    // Each step knows what stopping its own means; this only finds it.
    const find = (args: ReadonlyPartialJSONObject): { stopper: Stopper; target: StopTarget } => {
      const { kind, id, name } = args;
      const stopper = typeof kind === 'string' ? stoppers.get(kind) : undefined;
      if (stopper === undefined || typeof id !== 'string') {
        throw new PerijoveError({
          code: 'no_activity',
          message: trans.__('Nothing that can be stopped was named.'),
          hint: trans.__('Stop it on the Operate page.')
        });
      }
      return { stopper, target: { id, name: typeof name === 'string' && name !== '' ? name : id } };
    };
    addEffect(perijove, CommandIDs.stopActivity, {
      label: trans.__('Stop Activity'),
      describedBy: {
        args: {
          type: 'object',
          required: ['kind', 'id'],
          properties: {
            kind: { type: 'string', description: 'Such as run, endpoint or job' },
            id: { type: 'string' },
            name: { type: 'string', description: 'What the question calls it' }
          }
        }
      },
      question: args => {
        const { stopper, target } = find(args);
        return stopper.question(target);
      },
      act: async args => {
        const { stopper, target } = find(args);
        notifyDone(await stopper.stop(target));
      }
    });
    for (const command of [CommandIDs.stopJob, CommandIDs.retryJob, CommandIDs.resumeJob]) {
      palette?.addItem({ command, category: trans.__('Perijove') });
    }
  }
};
