import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';

import type { IPerijove } from '../api';
import { notifyDone, perform, permitInOutputs } from '../kit/lab';
import { CommandIDs } from './tokens';

const NO_ARGS = { args: { type: 'object', properties: {} } } as const;
const EXAMPLE = 'perijove-example';

/** Add the commands that belong to no single step. */
export function addCommands(
  app: JupyterFrontEnd,
  perijove: IPerijove,
  browser: IDefaultFileBrowser | null,
  refresh: () => void
): void {
  const { commands } = app;
  const { trans, project, openers } = perijove;

  permitInOutputs(CommandIDs.open);
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Open Reference'),
    describedBy: {
      args: {
        type: 'object',
        required: ['ref'],
        properties: { ref: { type: 'string', description: 'Such as data:builds@3' } }
      }
    },
    execute: args => {
      const ref = args['ref'];
      return perform(() => openers.open(typeof ref === 'string' ? ref : ''));
    }
  });

  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Perijove'),
    describedBy: NO_ARGS,
    execute: async () => {
      await project.refresh();
      refresh();
    }
  });

  commands.addCommand(CommandIDs.switchProject, {
    label: args => {
      const path = args['path'];
      const found = project.list?.find(one => one.path === path);
      return found === undefined ? trans.__('Switch Project…') : found.name;
    },
    caption: args => (typeof args['path'] === 'string' ? args['path'] || '/' : ''),
    isToggleable: true,
    isToggled: args => args['path'] !== undefined && args['path'] === project.path,
    describedBy: {
      args: {
        type: 'object',
        properties: { path: { type: 'string', description: "The project's folder" } }
      }
    },
    execute: async args => {
      let path = typeof args['path'] === 'string' ? args['path'] : null;
      if (path === null) {
        await project.refresh();
        const paths = (project.list ?? []).map(one => one.path);
        const chosen = await InputDialog.getItem({
          title: trans.__('Switch project'),
          items: paths.map(one => one || '/'),
          current: Math.max(0, paths.indexOf(project.path ?? ''))
        });
        path = chosen.button.accept ? (chosen.value === '/' ? '' : chosen.value) : null;
      }
      if (path !== null) {
        await project.select(path);
      }
    }
  });

  commands.addCommand(CommandIDs.createProject, {
    label: trans.__('Make a Project…'),
    caption: trans.__('Make a folder a project, with a file perijove.toml in it'),
    describedBy: {
      args: {
        type: 'object',
        properties: { path: { type: 'string', description: "The project's folder" } }
      }
    },
    execute: async args => {
      const given = args['path'];
      const asked = await InputDialog.getText({
        title: trans.__('Make a project'),
        label: trans.__('Its folder, from the root of the file browser'),
        placeholder: trans.__('the root itself'),
        text: typeof given === 'string' ? given : project.local(browser?.model.path ?? ''),
        okLabel: trans.__('Make project')
      });
      if (asked.button.accept) {
        await perform(async () => {
          const path = (asked.value ?? '').trim().replace(/^\/+|\/+$/g, '');
          const made = await project.create({ path });
          notifyDone(trans.__('%1 is a project now.', made.name));
          await commands.execute('perijove:open-problem');
        });
      }
    }
  });

  commands.addCommand(CommandIDs.openExample, {
    label: trans.__('Open the Example Project'),
    caption: trans.__('Make the example in a folder of its own, or switch to it'),
    describedBy: NO_ARGS,
    execute: () =>
      perform(async () => {
        await project.refresh();
        const there = project.list?.find(one => one.path.split('/').pop() === EXAMPLE);
        if (there !== undefined) {
          await project.select(there.path);
        } else {
          await project.create({ path: EXAMPLE, example: true });
        }
        await commands.execute('filebrowser:go-to-path', {
          path: project.path ?? '',
          dontShowBrowser: true
        });
        await openNotebook(app, project.path ?? '');
      })
  });

  commands.addCommand(CommandIDs.editProjectFile, {
    label: trans.__('Edit perijove.toml'),
    isEnabled: () => project.path !== null,
    describedBy: NO_ARGS,
    execute: () =>
      perform(() =>
        commands.execute('docmanager:open', {
          path: project.absolute('perijove.toml'),
          factory: 'Editor'
        })
      )
  });
}

/** Open the first notebook of a project: it is in its folder, or in `notebooks` below. */
async function openNotebook(app: JupyterFrontEnd, folder: string): Promise<void> {
  const below = [folder, 'notebooks'].filter(Boolean).join('/');
  for (const place of [folder, below]) {
    const listing = await app.serviceManager.contents.get(place);
    const items = listing.content as { path: string; type: string }[];
    const notebook = items
      .filter(item => item.type === 'notebook')
      .sort((left, right) => left.path.localeCompare(right.path))[0];
    if (notebook !== undefined) {
      await app.commands.execute('docmanager:open', { path: notebook.path });
      return;
    }
    if (!items.some(item => item.path === below)) {
      return;
    }
  }
}
