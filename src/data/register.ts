import { PathExt } from '@jupyterlab/coreutils';

import type { Dataset, IPerijove } from '../api';
import { notifyDone, notifyError } from '../kit/lab';
import { CommandIDs } from './tokens';

/** Register files of the file browser, each with a word about how it went. */
export async function registerFiles(perijove: IPerijove, paths: readonly string[]): Promise<void> {
  const { client, commands, events, project, trans } = perijove;
  // A project that was made outside, say by the command line, is not in the list yet.
  await project.refresh();
  for (const file of paths) {
    const home = project.homeOf(file);
    let dataset: Dataset;
    try {
      dataset = await client.post('/datasets', {
        body: {
          path: PathExt.relative(home ?? '', project.local(file)),
          name: '',
          target: '',
          time: ''
        },
        ...(home === null ? {} : { project: home })
      });
    } catch (error) {
      notifyError(error);
      continue;
    }
    events.announce('data');
    notifyDone(
      trans.__('%1 is registered as %2, version %3.', file, dataset.name, dataset.version),
      {
        label: trans.__('Open'),
        callback: () => {
          void (async () => {
            if (home !== null) {
              await project.select(home);
            }
            await commands.execute(CommandIDs.openDataset, { name: dataset.name });
          })();
        }
      }
    );
  }
}
