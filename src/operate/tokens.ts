import { JobCommands } from '../kit/job';

/** Commands of this step that others may execute. */
export namespace CommandIDs {
  export const openOperate = 'perijove:open-operate';
  /** Stop what runs, after the question of its step: `{ kind, id, name? }`. */
  export const stopActivity = 'perijove:stop-activity';
  /** Open the page of a job: `{ id }`. */
  export const openJob = JobCommands.open;
  /** Stop a job, after a question: `{ job, title? }`. */
  export const stopJob = JobCommands.stop;
  /** Do a job's work again, from its beginning: `{ job }`. */
  export const retryJob = JobCommands.retry;
  /** Go on with a job's work, from its last checkpoint: `{ job }`. */
  export const resumeJob = JobCommands.resume;
}
