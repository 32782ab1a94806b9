import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { lazy } from 'react';

import { IPerijove, formatRef } from '../api';
import { refText } from '../api/refs';
import type { PageProps } from '../kit';
import { deployIcon, registerPage } from '../kit/lab';
import type { EndpointArgs } from './components/endpoint_page';
import type { ModelArgs } from './components/model_page';
import { addEffects } from './effects';
import { addModelEffects } from './model_effects';
import { DeploySide, copy } from './side';
import { EndpointTabs } from './tabs';
import { CommandIDs, IEndpointTabs } from './tokens';

const tabsOf = () => import('./components/endpoint_tabs');
const TryTab = lazy(async () => ({ default: (await tabsOf()).TryTab }));
const RevisionsTab = lazy(async () => ({ default: (await tabsOf()).RevisionsTab }));
const UseTab = lazy(async () => ({ default: (await tabsOf()).UseTab }));
const GateTab = lazy(async () => ({ default: (await tabsOf()).GateTab }));

export const deploy: JupyterFrontEndPlugin<IEndpointTabs> = {
  id: 'perijove:deploy',
  description: 'Deploy models: the gate, endpoints and their revisions.',
  autoStart: true,
  provides: IEndpointTabs,
  requires: [IPerijove],
  optional: [ILayoutRestorer, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null
  ): IEndpointTabs => {
    const { commands, shell } = app;
    const { trans } = perijove;
    const host = { restorer, palette };
    const tabs = new EndpointTabs();

    tabs.add({
      id: 'try',
      label: trans.__('Try it'),
      order: 10,
      render: ({ endpoint }) => <TryTab endpoint={endpoint} />
    });
    tabs.add({
      id: 'revisions',
      label: trans.__('Revisions'),
      order: 20,
      render: ({ endpoint }) => <RevisionsTab endpoint={endpoint} />
    });
    tabs.add({
      id: 'use',
      label: trans.__('Use it'),
      order: 30,
      render: ({ endpoint }) => <UseTab endpoint={endpoint} copy={copy} />
    });
    tabs.add({
      id: 'gate',
      label: trans.__('Gate'),
      order: 40,
      render: ({ endpoint }) => <GateTab endpoint={endpoint} />
    });

    registerPage(
      app,
      perijove,
      {
        kind: 'deploy',
        label: trans.__('Open Deploy'),
        caption: trans.__('The endpoints and the models of this project'),
        icon: deployIcon,
        load: () => import('./components/deploy_page'),
        title: () => trans.__('Deploy')
      },
      host
    );
    registerPage<EndpointArgs>(
      app,
      perijove,
      {
        kind: 'endpoint',
        label: trans.__('Open Endpoint'),
        icon: deployIcon,
        load: async () => {
          const { EndpointPage } = await import('./components/endpoint_page');
          return {
            default: (props: PageProps<EndpointArgs>) => <EndpointPage {...props} tabs={tabs} />
          };
        },
        title: ({ name }) => name,
        name: ({ name }) => name,
        args: {
          args: {
            type: 'object',
            properties: {
              name: { type: 'string', description: 'The name of the endpoint' },
              tab: { type: 'string', description: 'The tab to show' }
            },
            required: ['name']
          }
        }
      },
      host
    );
    registerPage<ModelArgs>(
      app,
      perijove,
      {
        kind: 'model',
        label: trans.__('Open Model'),
        icon: deployIcon,
        load: () => import('./components/model_page'),
        title: ({ ref }) => refText(ref),
        name: ({ ref }) => ref,
        args: {
          args: {
            type: 'object',
            properties: { ref: { type: 'string', description: 'Such as model:builds@3' } },
            required: ['ref']
          }
        }
      },
      host
    );
    perijove.openers.add('endpoint', ({ name }) =>
      commands.execute(CommandIDs.openEndpoint, { name })
    );
    perijove.openers.add('model', ref =>
      commands.execute(CommandIDs.openModel, { ref: formatRef(ref) })
    );
    addEffects(perijove);
    addModelEffects(perijove, palette);

    let side: DeploySide | null = null;
    commands.addCommand(CommandIDs.deployModel, {
      label: trans.__('Deploy Model'),
      caption: trans.__('Deploy a model of this project as an endpoint'),
      icon: deployIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            model: { type: 'string', description: 'Such as model:builds@3' },
            endpoint: { type: 'string', description: 'The name of the endpoint' }
          }
        }
      },
      execute: args => {
        const notebook = notebooks?.currentWidget?.context.path ?? '';
        side ??= new DeploySide(perijove);
        side.begin({
          model: typeof args.model === 'string' ? args.model : undefined,
          endpoint: typeof args.endpoint === 'string' ? args.endpoint : undefined,
          notebook: perijove.project.relative(notebook) ?? ''
        });
        if (!side.isAttached) {
          shell.add(side, 'right', { rank: 300, type: 'Perijove' });
        }
        shell.activateById(side.id);
      }
    });
    for (const command of [
      CommandIDs.deployModel,
      CommandIDs.startEndpoint,
      CommandIDs.stopEndpoint,
      CommandIDs.rollBackEndpoint
    ]) {
      palette?.addItem({ command, category: trans.__('Perijove') });
    }
    return tabs;
  }
};
