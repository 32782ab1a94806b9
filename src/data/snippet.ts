import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, InputDialog, Notification } from '@jupyterlab/apputils';
import { NotebookActions, type INotebookTracker } from '@jupyterlab/notebook';

import type { IPerijove } from '../api';

/** Put the code that loads a dataset into a new cell below the active one, and go there. */
export async function insertSnippet(
  app: JupyterFrontEnd,
  perijove: IPerijove,
  notebooks: INotebookTracker | null,
  given: string | undefined,
  version = 0
): Promise<void> {
  const { client } = perijove;
  const name = given ?? (await askForDataset(perijove));
  if (name === null) {
    return;
  }
  const { code } = await client.get('/datasets/{name}/snippet', {
    path: { name },
    query: { version }
  });
  await insertCode(app, perijove, notebooks, code, name);
}

/** Put code about a dataset into a new cell below the active one, and go there. */
export async function insertCode(
  app: JupyterFrontEnd,
  { trans }: IPerijove,
  notebooks: INotebookTracker | null,
  code: string,
  name: string
): Promise<void> {
  const panel = notebooks?.currentWidget;
  if (!panel) {
    Notification.warning(
      trans.__('No notebook is open: the code that loads %1 goes into one.', name),
      {
        autoClose: 10_000,
        actions: [
          {
            label: trans.__('Copy the code'),
            callback: () => Clipboard.copyToSystem(code)
          }
        ]
      }
    );
    return;
  }
  await panel.context.ready;
  const { content } = panel;
  NotebookActions.insertBelow(content);
  const cell = content.activeCell;
  if (cell === null) {
    return;
  }
  if (cell.model.type !== 'code') {
    NotebookActions.changeCellType(content, 'code');
  }
  content.activeCell?.model.sharedModel.setSource(code);
  app.shell.activateById(panel.id);
  await content.scrollToItem(content.activeCellIndex);
}

async function askForDataset({ client, trans }: IPerijove): Promise<string | null> {
  const { items } = await client.get('/datasets');
  if (items.length === 0) {
    Notification.info(trans.__('This project has no dataset yet.'), { autoClose: 5000 });
    return null;
  }
  const { button, value } = await InputDialog.getItem({
    title: trans.__('Which dataset?'),
    items: items.map(dataset => dataset.name),
    okLabel: trans.__('Insert')
  });
  return button.accept ? value : null;
}
