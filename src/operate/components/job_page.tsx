import { useEffect, type ReactNode } from 'react';

import { PerijoveError, refText, type Activity, type Job, type Trans } from '../../api';
import {
  Button,
  ErrorView,
  Figure,
  KeyValue,
  Loaded,
  PageHeader,
  RefLink,
  Time,
  bytes,
  duration,
  percent,
  useResource,
  useServices,
  useTrans,
  type PageArgs,
  type PageProps
} from '../../kit';
import { isActive, useJob } from '../../kit/job';
import { JobLog } from '../../kit/log';
import { useNow } from '../../kit/now';
import { CommandIDs } from '../tokens';
import { kindWord } from '../words';

export interface JobArgs extends PageArgs {
  id: string;
}

/** Milliseconds between two looks at what its processes take. */
const LOOK = 5000;

/** One job: how far it is, what it holds, and what it prints. */
export default function JobPage({ args, setTitle }: PageProps<JobArgs>): JSX.Element {
  const job = useJob(args.id);
  const title = job.data?.title;
  useEffect(() => {
    if (title !== undefined) {
      setTitle(title);
    }
  }, [title, setTitle]);
  return (
    <div className="pj-JobPage pj-PageFill">
      <Loaded resource={job}>{data => <JobContent job={data} />}</Loaded>
    </div>
  );
}

function JobContent({ job }: { job: Job }): JSX.Element {
  const trans = useTrans();
  const takes = useTakes(job);
  return (
    <>
      <PageHeader
        kind={trans.__('Job')}
        title={job.title}
        state={job.state}
        facts={<Facts job={job} />}
        actions={<Actions job={job} />}
      />
      {job.state === 'queued' && (
        <p className="pj-Note" role="status">
          {job.waiting === ''
            ? trans.__('It waits for its turn.')
            : trans.__('It waits for %1.', job.waiting)}
        </p>
      )}
      {job.state === 'running' && (job.progress !== null || job.detail !== '') && (
        <div className="pj-JobPage-progress">
          {job.progress !== null && (
            <>
              <progress
                className="pj-Task-bar"
                max={1}
                value={job.progress}
                aria-label={job.title}
              />
              <span className="pj-Task-share">{percent(job.progress)}</span>
            </>
          )}
          <span className="pj-mod-quiet">{job.detail}</span>
        </div>
      )}
      {job.state === 'lost' && job.error === null && (
        <p className="pj-Note pj-mod-failed">
          {trans.__(
            'The process that looked after it is gone, and what it had started was ended. What was written before is kept.'
          )}
        </p>
      )}
      {job.error !== null && <ErrorView error={new PerijoveError(job.error)} />}
      <div className="pj-JobPage-facts">
        <KeyValue
          items={[
            [trans.__('About'), job.subject === '' ? null : <Subject key="about" job={job} />],
            [job.state === 'queued' ? trans.__('Needs') : trans.__('Holds'), holds(job, trans)],
            [trans.__('Takes'), takes === undefined ? null : takesText(takes, trans)],
            ...resultOf(job, trans)
          ]}
        />
      </div>
      <JobLog id={job.id} fill />
    </>
  );
}

function Facts({ job }: { job: Job }): JSX.Element {
  const { commands, project } = useServices();
  const trans = useTrans();
  const now = useNow(job.state === 'running');
  const { notebook, started, ended } = job;
  return (
    <div className="pj-Facts">
      <span>{kindWord(job.kind, trans)}</span>
      {notebook !== '' && (
        <span>
          {trans.__('from')}{' '}
          <Button
            look="link"
            onClick={() =>
              void commands.execute('docmanager:open', { path: project.absolute(notebook) })
            }
          >
            {notebook}
          </Button>
        </span>
      )}
      <span>
        {trans.__('sent')} <Time at={job.created} /> {trans.__('by %1', job.by)}
      </span>
      {started !== null && (
        <span>
          {ended === null
            ? trans.__('runs for %1', duration(Math.max(0, now - started)))
            : trans.__('took %1', duration(ended - started))}
        </span>
      )}
      {job.retry_of !== '' && (
        <span>
          {trans.__('attempt %1, after', job.attempt)}{' '}
          <Button
            look="link"
            onClick={() => void commands.execute(CommandIDs.openJob, { id: job.retry_of })}
          >
            {job.retry_of}
          </Button>
        </span>
      )}
      {job.executor !== 'local' && <span>{trans.__('on %1', job.executor)}</span>}
      {job.exit_code !== null && job.exit_code !== 0 && (
        <span>{trans.__('exit code %1', job.exit_code)}</span>
      )}
    </div>
  );
}

function Actions({ job }: { job: Job }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const act = (command: string): void => void commands.execute(command, { job: job.id });
  if (isActive(job)) {
    return <Button onClick={() => act(CommandIDs.stopJob)}>{trans.__('Stop job')}</Button>;
  }
  return (
    <>
      {job.retryable && (
        <Button onClick={() => act(CommandIDs.retryJob)}>{trans.__('Retry from the start')}</Button>
      )}
      {job.resumable && (
        <Button look="accept" onClick={() => act(CommandIDs.resumeJob)}>
          {trans.__('Resume from checkpoint')}
        </Button>
      )}
    </>
  );
}

/** What the machine says of the job's processes. */
function useTakes(job: Job): Activity | undefined {
  const report = useResource(
    ['operate'],
    ['operate', 'develop', 'deploy', 'data'],
    (client, signal) => client.get('/operate', { signal }),
    { enabled: job.state === 'running', every: LOOK }
  );
  return job.state === 'running'
    ? report.data?.activities.find(one => one.kind === 'job' && one.id === job.id)
    : undefined;
}

function takesText(takes: Activity, trans: Trans): string {
  return [
    takes.cpu_percent === null ? '' : trans.__('CPU %1 %', takes.cpu_percent.toFixed(0)),
    takes.memory === null ? '' : bytes(takes.memory),
    takes.pid === null ? '' : trans.__('process %1', takes.pid)
  ]
    .filter(Boolean)
    .join(' · ');
}

function holds(job: Job, trans: Trans): string | null {
  const { cpus, gpus, memory } = job.resources;
  const text = [
    cpus > 0 ? trans._n('%1 CPU', '%1 CPUs', cpus) : '',
    job.devices.length > 0
      ? job.devices.map(device => trans.__('GPU %1', device)).join(', ')
      : gpus > 0
        ? trans._n('%1 GPU', '%1 GPUs', gpus)
        : '',
    memory > 0 ? trans.__('%1 of memory', bytes(memory)) : ''
  ]
    .filter(Boolean)
    .join(' · ');
  return text === '' ? null : text;
}

/** What a job is about, with the kind of it where that is not plain. */
function Subject({ job }: { job: Job }): JSX.Element {
  const trans = useTrans();
  const { subject, title, kind } = job;
  if (!subject.startsWith('run:')) {
    return <RefLink of={subject} />;
  }
  return (
    <RefLink
      of={subject}
      label={kind === 'train' ? trans.__('run %1', title) : trans.__('run %1', refText(subject))}
    />
  );
}

/** What a job said of its result, but for what stands elsewhere on the page. */
function resultOf(job: Job, trans: Trans): (readonly [string, ReactNode])[] {
  const found: (readonly [string, ReactNode])[] = [];
  for (const [name, value] of Object.entries(job.result)) {
    if ((name === 'run' || name === 'rerun') && typeof value === 'string') {
      const ref = `run:${value}@1`;
      if (ref !== job.subject) {
        found.push([
          name === 'run' ? trans.__('Run') : trans.__('Rerun'),
          <RefLink key={name} of={ref} />
        ]);
      }
    } else if (typeof value === 'string') {
      found.push([name, <RefLink key={name} of={value} label={value} />]);
    } else if (typeof value === 'boolean') {
      found.push([name, value ? trans.__('yes') : trans.__('no')]);
    } else if (isFigures(value)) {
      found.push([name, <Figures key={name} values={value} />]);
    } else {
      found.push([name, <code key={name}>{JSON.stringify(value)}</code>]);
    }
  }
  return found;
}

function isFigures(value: unknown): value is Record<string, number> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(one => typeof one === 'number')
  );
}

function Figures({ values }: { values: Record<string, number> }): JSX.Element {
  return (
    <span className="pj-Facts">
      {Object.entries(values).map(([name, value]) => (
        <span key={name}>
          {name} <Figure value={value} />
        </span>
      ))}
    </span>
  );
}
