import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { IPerijove, PerijoveError, type Stopper, type StopTarget } from '../api';
import { addEffect, notifyDone, operateIcon, registerPage } from '../kit/lab';
import { CommandIDs } from './tokens';

export const operate: JupyterFrontEndPlugin<void> = {
  id: 'perijove:operate',
  description: 'The machine, and every process that the project runs on it.',
  autoStart: true,
  requires: [IPerijove],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { trans, client, events, openers, stoppers } = perijove;
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
      { restorer, palette }
    );
    for (const kind of ['kernel', 'job']) {
      openers.add(kind, () => app.commands.execute(CommandIDs.openOperate));
    }

    const jobs: Stopper = {
      question: ({ name }) => ({
        title: trans.__('Stop job %1?', name),
        body: trans.__('Its processes are ended. What it has made so far is not kept.'),
        accept: trans.__('Stop job'),
        warn: true
      }),
      stop: async ({ id }) => {
        const { detail } = await client.post('/operate/stop', { body: { kind: 'job', id } });
        events.announce('operate', 'data');
        return detail;
      }
    };
    stoppers.add('job', jobs);
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
  }
};
