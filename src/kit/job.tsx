import type { Trans } from '../api/language';
import { useState } from 'react';

import { PerijoveError } from '../api/errors';
import type { Job } from '../api/types';
import { askToAct } from './act';
import { useAction } from './action';
import { Button } from './button';
import { ErrorView, Loaded } from './feedback';
import { percent } from './format';
import { useResource, type Resource } from './resource';
import { useServices, useTrans } from './services';
import type { Condition } from './state';
import { StateGlyph } from './state';

/** A job, as it goes on. Nothing is asked without an id. */
export function useJob(id: string): Resource<Job> {
  return useResource(
    ['job', id],
    ['data', 'operate'],
    (client, signal) => client.get('/jobs/{job}', { path: { job: id }, signal }),
    { enabled: id !== '' }
  );
}

/** A glyph and a word for a job's state. */
export function jobState(
  state: Job['state'],
  trans: Trans
): { condition: Condition; label: string } {
  switch (state) {
    case 'queued':
      return { condition: 'running', label: trans.__('waiting') };
    case 'running':
      return { condition: 'running', label: trans.__('running') };
    case 'finished':
      return { condition: 'ok', label: trans.__('finished') };
    case 'failed':
      return { condition: 'failed', label: trans.__('failed') };
    case 'stopped':
      return { condition: 'attention', label: trans.__('stopped') };
    case 'lost':
      return { condition: 'failed', label: trans.__('lost') };
  }
}

/** One job: its state, how far it is, its log, and a way to stop it. */
export function JobView({ job }: { job: Job }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [log, setLog] = useState(false);
  const { condition, label } = jobState(job.state, trans);
  const running = job.state === 'running' || job.state === 'queued';
  const stop = useAction(async () => {
    const sure = await askToAct(
      {
        title: trans.__('Stop %1?', job.title),
        body: trans.__('What it has made so far is not kept.'),
        accept: trans.__('Stop'),
        warn: true
      },
      trans
    );
    if (sure) {
      await client.post('/jobs/{job}/stop', { path: { job: job.id } });
      events.announce('data', 'operate');
    }
  });
  return (
    <div className="pj-Job">
      <div className="pj-Task">
        <StateGlyph state={condition} label={label} word />
        <span className="pj-Task-label">{job.title}</span>
        {running && job.progress !== null && (
          <>
            <progress className="pj-Task-bar" max={1} value={job.progress} aria-label={job.title} />
            <span className="pj-Task-share">{percent(job.progress)}</span>
          </>
        )}
        {job.detail !== '' && <span className="pj-mod-quiet">{job.detail}</span>}
        <Button look="link" aria-expanded={log} onClick={() => setLog(!log)}>
          {log ? trans.__('Hide log') : trans.__('Log')}
        </Button>
        {running && (
          <Button look="link" busy={stop.busy} onClick={() => void stop.run()}>
            {trans.__('Stop')}
          </Button>
        )}
      </div>
      {job.error !== null && <ErrorView error={new PerijoveError(job.error)} compact />}
      {stop.error !== undefined && <ErrorView error={stop.error} compact />}
      {log && <JobLogView id={job.id} />}
    </div>
  );
}

/** The end of what a job printed. */
const TAIL = 64 * 1024;

function JobLogView({ id }: { id: string }): JSX.Element {
  const trans = useTrans();
  const log = useResource(['job log', id], ['data', 'operate'], (client, signal) =>
    client.get('/jobs/{job}/log', { path: { job: id }, query: { offset: -TAIL }, signal })
  );
  return (
    <Loaded resource={log}>
      {({ text }) => (
        <pre className="pj-Code" tabIndex={0} aria-label={trans.__('Log')}>
          {text === '' ? trans.__('Nothing was printed yet.') : text}
        </pre>
      )}
    </Loaded>
  );
}
