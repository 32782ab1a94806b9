import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { createElement, lazy } from 'react';

import { IPerijove } from '../api';
import { dataIcon, perform, registerPage } from '../kit/lab';
import { ISidebarSections } from '../sidebar/tokens';
import type { DatasetArgs } from './components/dataset_page';
import type { VariablesArgs } from './components/variables_page';
import { CommandIDs, isTable } from './tokens';
import { registerFiles } from './register';
import { insertCode, insertSnippet } from './snippet';
import { openTables } from './variables';

const DatasetTree = lazy(() => import('./components/tree'));

const NAMED = {
  args: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of the dataset' },
      version: { type: 'number', description: 'One version; the newest when left out' }
    }
  }
} as const;

export const data: JupyterFrontEndPlugin<void> = {
  id: 'perijove:data',
  description: 'Datasets: register files, look at rows and columns, load them in a notebook.',
  autoStart: true,
  requires: [IPerijove],
  optional: [
    ILayoutRestorer,
    ICommandPalette,
    IFileBrowserFactory,
    INotebookTracker,
    ISidebarSections
  ],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    browsers: IFileBrowserFactory | null,
    notebooks: INotebookTracker | null,
    sections: ISidebarSections | null
  ): void => {
    const { commands } = app;
    const { trans } = perijove;

    registerPage(
      app,
      perijove,
      {
        kind: 'data',
        label: trans.__('Open Data'),
        caption: trans.__('The datasets of this project'),
        icon: dataIcon,
        load: () => import('./components/datasets_page'),
        title: () => trans.__('Data')
      },
      { restorer, palette }
    );
    registerPage<DatasetArgs>(
      app,
      perijove,
      {
        kind: 'dataset',
        label: trans.__('Open Dataset'),
        icon: dataIcon,
        load: () => import('./components/dataset_page'),
        title: ({ name }) => name,
        name: ({ name }) => name,
        args: { args: { ...NAMED.args, required: ['name'] } }
      },
      { restorer, palette }
    );
    registerPage(
      app,
      perijove,
      {
        kind: 'sources',
        label: trans.__('Open Data Sources'),
        caption: trans.__('Where data may come from; register files, folders, buckets and queries'),
        icon: dataIcon,
        load: () => import('./components/sources_page'),
        title: () => trans.__('Sources')
      },
      { restorer, palette }
    );
    sections?.add({
      id: 'data',
      label: trans.__('Datasets'),
      rank: 10,
      render: () => createElement(DatasetTree)
    });
    registerPage<VariablesArgs>(
      app,
      perijove,
      {
        kind: 'variables',
        label: trans.__('Open Tables of a Kernel'),
        icon: dataIcon,
        load: async () => {
          const { variablesPage } = await import('./components/variables_page');
          return { default: variablesPage(path => openTables(notebooks, path, trans)) };
        },
        title: ({ notebook }) => trans.__('Tables of %1', notebook.replace(/^.*\//, '')),
        name: ({ notebook }) => notebook,
        args: {
          args: {
            type: 'object',
            properties: { notebook: { type: 'string', description: 'The path of the notebook' } },
            required: ['notebook']
          }
        }
      },
      { restorer, palette }
    );
    commands.addCommand(CommandIDs.showVariables, {
      label: trans.__('Show the Tables of This Kernel'),
      caption: trans.__('Look at the data frames of the notebook’s kernel while cells run'),
      icon: dataIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks?.currentWidget != null,
      execute: () => {
        const notebook = notebooks?.currentWidget?.context.path;
        return notebook === undefined
          ? undefined
          : commands.execute(CommandIDs.openVariables, { notebook });
      }
    });
    perijove.openers.add('data', ({ name, version }) =>
      commands.execute(CommandIDs.openDataset, { name, ...(version !== null && { version }) })
    );

    const selectedFiles = (): string[] => {
      const items = browsers?.tracker.currentWidget?.selectedItems() ?? [];
      return [...items].filter(item => item.type !== 'directory').map(item => item.path);
    };
    commands.addCommand(CommandIDs.register, {
      label: trans.__('Register as Dataset'),
      caption: trans.__('Register the selected files as datasets of the project'),
      icon: dataIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isVisible: () => selectedFiles().some(isTable),
      isEnabled: () => selectedFiles().some(isTable),
      execute: () => registerFiles(perijove, selectedFiles().filter(isTable))
    });
    commands.addCommand(CommandIDs.insertSnippet, {
      label: trans.__('Insert Load Snippet of a Dataset'),
      caption: trans.__('Put code that loads a dataset below the active cell of the notebook'),
      describedBy: NAMED,
      execute: args => {
        const { name, version } = args;
        return perform(() =>
          insertSnippet(
            app,
            perijove,
            notebooks,
            typeof name === 'string' ? name : undefined,
            typeof version === 'number' ? version : 0
          )
        );
      }
    });
    commands.addCommand(CommandIDs.insertCode, {
      label: trans.__('Insert Code of a View'),
      describedBy: {
        args: {
          type: 'object',
          properties: { code: { type: 'string' }, ...NAMED.args.properties },
          required: ['code', 'name']
        }
      },
      execute: args => {
        const { code, name } = args;
        return perform(async () => {
          if (typeof code === 'string' && typeof name === 'string') {
            await insertCode(app, perijove, notebooks, code, name);
          }
        });
      }
    });
    commands.addCommand(CommandIDs.showFiles, {
      label: trans.__('Show the Files of the Project'),
      icon: dataIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () =>
        perform(async () => {
          await commands.execute('filebrowser:go-to-path', { path: perijove.project.path ?? '' });
          await commands.execute('filebrowser:activate');
        })
    });
    const category = trans.__('Perijove');
    palette?.addItem({ command: CommandIDs.insertSnippet, category });
    palette?.addItem({ command: CommandIDs.showFiles, category });
    palette?.addItem({ command: CommandIDs.showVariables, category });
  }
};
