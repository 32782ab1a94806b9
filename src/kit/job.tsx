import { useState } from 'react';

import { PerijoveError } from '../api/errors';
import type { Job } from '../api/types';
import { Button } from './button';
import { ErrorView } from './feedback';
import { percent } from './format';
import { JobLog } from './log';
import { useOpen } from './open';
import { useResource, type Resource } from './resource';
import { useServices, useTrans } from './services';
import { StateGlyph } from './state';

/** Commands about a job, `{ job, title? }`; the step Operate answers them. */
export const JobCommands = {
  open: 'perijove:open-job',
  stop: 'perijove:stop-job',
  retry: 'perijove:retry-job',
  resume: 'perijove:resume-job'
} as const;

/** Milliseconds between two looks at a job that goes on, where no event should come. */
const LOOK = 5000;

/** A job, as it goes on. Nothing is asked without an id. */
export function useJob(id: string): Resource<Job> {
  return useResource(
    ['job', id],
    ['data', 'develop', 'operate'],
    (client, signal) => client.get('/jobs/{job}', { path: { job: id }, signal }),
    { enabled: id !== '', every: job => (job !== undefined && isActive(job) ? LOOK : undefined) }
  );
}

/** All jobs of the project, newest first. */
export function useJobs(): Resource<{ items: Job[] }> {
  return useResource(['jobs'], ['data', 'develop', 'operate'], (client, signal) =>
    client.get('/jobs', { signal })
  );
}

/** Whether it has not ended. */
export function isActive({ state }: Job): boolean {
  return state === 'running' || state === 'queued';
}

/** How far a job is, what it does now, and what it waits for. */
export function JobProgress({ job }: { job: Job }): JSX.Element | null {
  const trans = useTrans();
  if (job.state === 'queued') {
    return (
      <span className="pj-mod-quiet">
        {job.waiting === '' ? trans.__('for its turn') : trans.__('for %1', job.waiting)}
      </span>
    );
  }
  if (job.state !== 'running') {
    return null;
  }
  return (
    <>
      {job.progress !== null && (
        <>
          <progress className="pj-Task-bar" max={1} value={job.progress} aria-label={job.title} />
          <span className="pj-Task-share">{percent(job.progress)}</span>
        </>
      )}
      {job.detail !== '' && (
        <span className="pj-mod-quiet pj-Ellipsis" title={job.detail}>
          {job.detail}
        </span>
      )}
    </>
  );
}

/** One job: its state, how far it is, its log, and a way to stop it. */
export function JobView({ job }: { job: Job }): JSX.Element {
  const { commands, openers } = useServices();
  const trans = useTrans();
  const open = useOpen();
  const [log, setLog] = useState(false);
  return (
    <div className="pj-Job">
      <div className="pj-Task">
        <StateGlyph state={job.state} word />
        <span className="pj-Task-label pj-Ellipsis" title={job.title}>
          {job.title}
        </span>
        <JobProgress job={job} />
        <Button look="link" aria-expanded={log} onClick={() => setLog(!log)}>
          {log ? trans.__('Hide log') : trans.__('Log')}
        </Button>
        {openers.has('job') && (
          <Button look="link" onClick={() => open(`job:${job.id}`)}>
            {trans.__('Open job')}
          </Button>
        )}
        {isActive(job) && (
          <Button
            look="link"
            onClick={() =>
              void commands.execute(JobCommands.stop, { job: job.id, title: job.title })
            }
          >
            {trans.__('Stop')}
          </Button>
        )}
      </div>
      {job.error !== null && <ErrorView error={new PerijoveError(job.error)} compact />}
      {log && <JobLog id={job.id} />}
    </div>
  );
}
