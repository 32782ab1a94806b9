import type { Job, Trans } from '../api';
import type { StopQuestion } from '../api/tokens';

/** What a job does, as a noun. */
export function kindWord(kind: string, trans: Trans): string {
  switch (kind) {
    case 'train':
      return trans.__('training');
    case 'search':
      return trans.__('search');
    case 'rerun':
      return trans.__('rerun');
    case 'curate':
      return trans.__('curation');
    case 'make_again':
      return trans.__('proof of a version');
    default:
      return kind.replace(/_/g, ' ');
  }
}

/** What is asked before a job is stopped; of a kind that is not known the least is promised. */
export function stopQuestion(kind: string, title: string, trans: Trans): StopQuestion {
  const body =
    kind === 'train' || kind === 'search'
      ? trans.__(
          'It is asked to end, and ended by force if it does not. What it has logged is kept; it can be resumed if it has kept a checkpoint.'
        )
      : trans.__('Its processes are ended. What it has made so far is not kept.');
  return { title: trans.__('Stop job %1?', title), body, accept: trans.__('Stop job'), warn: true };
}

/** Whether a rerun did its work, and what it proved is that the run cannot be had again. */
export function isRefuted({ kind, result }: Job): boolean {
  return kind === 'rerun' && result['ok'] === false;
}

/** How a job ended, in a sentence. */
export function endWord(job: Job, trans: Trans): string {
  switch (job.state) {
    case 'finished':
      if (job.kind === 'rerun') {
        return isRefuted(job)
          ? trans.__('%1 came to something else: the run is not verified.', job.title)
          : trans.__('%1 came to the same: the run is verified.', job.title);
      }
      return trans.__('%1 has finished.', job.title);
    case 'failed':
      return trans.__(
        '%1 has failed: %2',
        job.title,
        job.error?.message ?? trans.__('see its log')
      );
    case 'lost':
      return trans.__('%1 was lost: its process is gone.', job.title);
    case 'stopped':
      return trans.__('%1 was stopped.', job.title);
    case 'queued':
    case 'running':
      return trans.__('%1 goes on.', job.title);
  }
}
