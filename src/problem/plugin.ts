import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';

import { IPerijove } from '../api';
import { lineageIcon, notifyDone, perform, problemIcon, registerPage } from '../kit/lab';
import type { LineageArgs } from './components/lineage_page';
import type { ProjectArgs } from './components/project_page';
import { targetText } from './target';
import { CommandIDs } from './tokens';

export const problem: JupyterFrontEndPlugin<void> = {
  id: 'perijove:problem',
  description: 'The question, its owner, the KPI targets, and the chain that answers it.',
  autoStart: true,
  requires: [IPerijove],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { trans, client, events, openers } = perijove;
    const host = { restorer, palette };

    registerPage<ProjectArgs>(
      app,
      perijove,
      {
        kind: 'problem',
        label: trans.__('Open Project Page'),
        caption: trans.__('The question, its owner and the targets'),
        icon: problemIcon,
        load: () => import('./components/project_page'),
        title: () => trans.__('Project'),
        args: {
          args: {
            type: 'object',
            properties: {
              edit: { type: 'boolean', description: 'Start with the form open' },
              tab: { type: 'string', enum: ['targets', 'audit'] }
            }
          }
        }
      },
      host
    );
    registerPage<LineageArgs>(
      app,
      perijove,
      {
        kind: 'lineage',
        label: trans.__('Open Lineage'),
        caption: trans.__('The chain from the data to the outcomes'),
        icon: lineageIcon,
        load: () => import('./components/lineage_page'),
        title: () => trans.__('Lineage'),
        args: {
          args: {
            type: 'object',
            properties: { ref: { type: 'string', description: 'The node to select' } }
          }
        }
      },
      host
    );

    openers.add('signoff', () => commands.execute(CommandIDs.openProject));
    for (const kind of [
      'source',
      'quality',
      'proof',
      'split',
      'certificate',
      'evaluation',
      'outcomes'
    ]) {
      openers.add(kind, ref =>
        commands.execute(CommandIDs.openLineage, {
          ref: `${ref.kind}:${ref.name}@${ref.version ?? 1}`
        })
      );
    }

    commands.addCommand(CommandIDs.setTarget, {
      label: trans.__('Set a Target'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => commands.execute(CommandIDs.openProject, { edit: true })
    });
    commands.addCommand(CommandIDs.signOff, {
      label: trans.__('Sign Off Targets'),
      caption: trans.__('Put your name under the targets as they stand'),
      icon: problemIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () =>
        perform(async () => {
          const { kpis } = await client.get('/project');
          // The dialog is the question: it names what is signed, and nothing happens before it.
          const { button, value } = await InputDialog.getText({
            title: trans.__('Sign off the targets?'),
            label: trans.__(
              'Your name goes under: %1. It is on record in the audit.',
              kpis.map(kpi => targetText(kpi, trans)).join('; ')
            ),
            placeholder: trans.__('Note (may stay empty)'),
            okLabel: trans.__('Sign off')
          });
          if (button.accept) {
            await client.post('/project/signoff', { body: { note: value ?? '' } });
            events.announce('problem');
            notifyDone(trans.__('The targets are signed off.'));
          }
        })
    });
    const category = trans.__('Perijove');
    palette?.addItem({ command: CommandIDs.setTarget, category });
    palette?.addItem({ command: CommandIDs.signOff, category });
  }
};
