import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { IPerijove } from '../api';
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
    const { trans, client, events, openers } = perijove;
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

    addEffect(perijove, CommandIDs.stopActivity, {
      label: trans.__('Stop Activity'),
      describedBy: {
        args: {
          type: 'object',
          required: ['kind', 'id'],
          properties: {
            kind: { type: 'string', enum: ['run', 'endpoint', 'job'] },
            id: { type: 'string' },
            name: { type: 'string', description: 'What the question calls it' }
          }
        }
      },
      question: args => {
        const { id, name } = readArgs(args);
        return args['kind'] === 'endpoint'
          ? {
              title: trans.__('Stop endpoint %1?', name || id),
              body: trans.__(
                'It stops answering at once. Its revisions stay, and it can be started again.'
              ),
              accept: trans.__('Stop Endpoint'),
              warn: true
            }
          : args['kind'] === 'job'
            ? {
                title: trans.__('Stop job %1?', name || id),
                body: trans.__('Its processes are ended. What it has made so far is not kept.'),
                accept: trans.__('Stop Job'),
                warn: true
              }
            : {
                title: trans.__('Stop run %1?', name || id),
                body: trans.__('Its cell is interrupted. What it has logged stays.'),
                accept: trans.__('Stop Run'),
                warn: true
              };
      },
      act: async args => {
        const { id } = readArgs(args);
        const given = args['kind'];
        const kind = given === 'endpoint' || given === 'job' ? given : 'run';
        const { detail } = await client.post('/operate/stop', { body: { kind, id } });
        events.announce('operate', TOPICS[kind]);
        notifyDone(detail);
      }
    });
  }
};

const TOPICS = { run: 'develop', endpoint: 'deploy', job: 'data' } as const;

function readArgs(args: { [key: string]: unknown }): { id: string; name: string } {
  const { id, name } = args;
  return { id: typeof id === 'string' ? id : '', name: typeof name === 'string' ? name : '' };
}
