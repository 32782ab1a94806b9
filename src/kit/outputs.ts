import { Notification } from '@jupyterlab/apputils';

import type { IPerijove } from '../api/tokens';

/** Our commands, of which an output may run only those that are permitted. */
const OURS = 'perijove:';

/** Where what is shown was written by a notebook or a file, and not by the application. */
const FOREIGN = '.jp-OutputArea, .jp-RenderedHTMLCommon, .jp-MimeDocument';

const permitted = new Set<string>();
let guarded = false;

/** Let links in outputs run a command that only shows something. */
export function permitInOutputs(id: string): void {
  permitted.add(id);
}

/**
 * Keep links in a notebook's output from our commands.
 *
 * JupyterLab runs the command that an element's `data-commandlinker-command` names when it is
 * clicked. It asks first where the notebook is not trusted; for what changes a project that is
 * not enough, so a command that nobody has permitted does not run from there.
 */
export function guardOutputs(trans: IPerijove['trans']): void {
  if (guarded) {
    return;
  }
  guarded = true;
  document.addEventListener(
    'click',
    event => {
      const link =
        event.target instanceof Element
          ? event.target.closest('[data-commandlinker-command]')
          : null;
      const id = link?.getAttribute('data-commandlinker-command') ?? '';
      if (id.startsWith(OURS) && !permitted.has(id) && link?.closest(FOREIGN) != null) {
        event.preventDefault();
        event.stopImmediatePropagation();
        Notification.warning(trans.__('Output of a notebook cannot run this command.'));
      }
    },
    { capture: true }
  );
}
