/** Commands about jobs; none of them runs from a link in an output. */

import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type IPerijove, type Job, type Stopper } from '../api';
import { isActive } from '../kit/job';
import { addEffect, choose, notifyDone } from '../kit/lab';
import { CommandIDs } from './tokens';
import { stopQuestion } from './words';

const JOB = {
  args: {
    type: 'object',
    properties: {
      job: { type: 'string', description: 'The job; asked for when left out' },
      title: { type: 'string', description: 'What the question calls it' }
    }
  }
} as const;

export function addEffects(perijove: IPerijove): void {
  const { client, commands, events, trans } = perijove;

  const stopper: Stopper = {
    question: ({ name }) => stopQuestion('', name, trans),
    stop: async ({ id }) => {
      const job = await client.post('/jobs/{job}/stop', { path: { job: id } });
      events.announce('develop', 'data', 'operate');
      return isActive(job)
        ? trans.__('%1 is asked to stop.', job.title)
        : trans.__('%1 is stopped.', job.title);
    }
  };
  perijove.stoppers.add('job', stopper);

  const named = (args: ReadonlyPartialJSONObject): string => {
    if (typeof args['job'] !== 'string') {
      throw new PerijoveError({
        code: 'no_job',
        message: trans.__('The command names no job.'),
        hint: trans.__('Do it on the page of the job.')
      });
    }
    return args['job'];
  };
  /** Ask for the job where the command does not name it, as from the palette. */
  const askFor =
    (title: string, fits: (job: Job) => boolean, none: string) =>
    async (args: ReadonlyPartialJSONObject): Promise<ReadonlyPartialJSONObject | null> => {
      if (typeof args['job'] === 'string') {
        return args;
      }
      const { items } = await client.get('/jobs');
      const job = await choose(
        title,
        items.filter(fits).map(one => ({ label: `${one.title} · ${one.id}`, value: one })),
        none
      );
      return job === null ? null : { job: job.id, title: job.title };
    };

  addEffect(perijove, CommandIDs.stopJob, {
    label: trans.__('Stop Job'),
    describedBy: JOB,
    complete: askFor(
      trans.__('Stop which job?'),
      isActive,
      trans.__('No job of this project runs or waits.')
    ),
    question: async args => {
      const job = await client.get('/jobs/{job}', { path: { job: named(args) } });
      return stopQuestion(job.kind, job.title, trans);
    },
    act: async args => notifyDone(await stopper.stop({ id: named(args), name: '' }))
  });

  const again = async (args: ReadonlyPartialJSONObject, resume: boolean): Promise<void> => {
    const job = await client.post('/jobs/{job}/retry', {
      path: { job: named(args) },
      body: { resume }
    });
    events.announce('develop', 'data', 'operate');
    await commands.execute(CommandIDs.openJob, { id: job.id });
  };
  addEffect(perijove, CommandIDs.retryJob, {
    label: trans.__('Retry Job'),
    caption: trans.__('Do the work of a job that has ended again'),
    describedBy: JOB,
    complete: askFor(
      trans.__('Retry which job?'),
      job => job.retryable,
      trans.__('No job of this project can be done again.')
    ),
    // Nothing is lost by it, and the new job can be stopped.
    question: () => null,
    act: args => again(args, false)
  });
  addEffect(perijove, CommandIDs.resumeJob, {
    label: trans.__('Resume Job'),
    caption: trans.__('Go on with the work of a job, from its last checkpoint'),
    describedBy: JOB,
    complete: askFor(
      trans.__('Resume which job?'),
      job => job.resumable,
      trans.__('No job of this project has kept a checkpoint to go on from.')
    ),
    question: () => null,
    act: args => again(args, true)
  });
}
