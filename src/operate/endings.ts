import { Notification } from '@jupyterlab/apputils';

import type { Ended, IPerijove, Job } from '../api';
import { parseRef } from '../api/refs';
import { CommandIDs as DevelopIDs } from '../develop/tokens';
import { CommandIDs } from './tokens';
import { endWord, isRefuted } from './words';

/** A job that came to a good end is news for so many milliseconds. */
const NEWS_MS = 15_000;

/**
 * Tell the user when a job has ended, wherever they are. What they stopped themselves is no news.
 */
export function tellEndings(perijove: IPerijove): void {
  const { commands, events, openers, trans } = perijove;
  // The stream is open, so that a job's end is heard of, while nothing of ours is on screen.
  events.watch();
  events.ended.connect((_: unknown, { job }: Ended) => {
    if (job.state === 'stopped') {
      return;
    }
    const good = job.state === 'finished';
    const ref = parseRef(job.subject);
    const kind = ref?.kind ?? '';
    const actions: Notification.IAction[] = [];
    // A good end is about what was made, a bad one about the log.
    if (good && job.kind === 'rerun') {
      actions.push({
        label: trans.__('Open certificate'),
        callback: () =>
          void commands.execute(DevelopIDs.openRun, { run_id: ref?.name ?? '', tab: 'verify' })
      });
    } else if (good && openers.has(kind)) {
      actions.push({
        label: openWord(kind, perijove),
        callback: () => void openers.open(job.subject)
      });
    }
    actions.push({
      label: trans.__('Open job'),
      callback: () => void commands.execute(CommandIDs.openJob, { id: job.id })
    });
    Notification.emit(endWord(job, trans), look(job), {
      autoClose: good && !isRefuted(job) ? NEWS_MS : false,
      actions
    });
  });
}

function look(job: Job): Notification.TypeOptions {
  return job.state !== 'finished' ? 'error' : isRefuted(job) ? 'warning' : 'success';
}

function openWord(kind: string, { trans }: IPerijove): string {
  switch (kind) {
    case 'run':
      return trans.__('Open run');
    case 'data':
      return trans.__('Open dataset');
    default:
      return trans.__('Open');
  }
}
