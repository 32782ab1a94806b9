import type { Trans } from '../../api/language';
import { useEffect, useRef, useState } from 'react';

import {
  PerijoveError,
  type Client,
  type Kpi,
  type ProjectSummary,
  type Run,
  type RunCard as Payload,
  type RunSummary
} from '../../api';
import { CommandIDs as DeployIDs } from '../../deploy/tokens';
import { Button } from '../../kit/button';
import { Chart } from '../../kit/chart';
import { ErrorView } from '../../kit/feedback';
import { duration as durationText, percent } from '../../kit/format';
import { useJob } from '../../kit/job';
import { colorOf } from '../../kit/palette';
import { RefLink } from '../../kit/ref';
import { useResource } from '../../kit/resource';
import { useServices, useSignal, useTrans, VisibleContext } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { Figure } from '../../kit/values';
import { cardMetric, dataOf, projectsOf } from '../card';
import { duration, timeLeft } from '../figures';
import { useLiveRuns, useNow } from '../live';
import { isSystem } from '../look';
import { pathOf } from '../paths';
import { kpiOf, mainTarget } from '../target';
import { CommandIDs } from '../tokens';
import { TargetLine } from './verdict';

/** How high the curve is, and what stands in its place when there is none. */
const CURVE = 120;
/** A card of another project than the current one asks this often while its run lasts. */
const POLL_MS = 2000;

interface Found {
  run: Run;
  kpis: Kpi[];
  /** The folder of the run's project, relative to the server's root. */
  project: string;
}

/** The card of a run in the output of its cell; it asks only while it is on screen. */
export default function RunCard({ payload }: { payload: Payload }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const [visible, setVisible] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    const node = frame.current;
    if (node === null || typeof IntersectionObserver === 'undefined') {
      return;
    }
    const observer = new IntersectionObserver(entries => {
      setVisible(entries.some(entry => entry.isIntersecting));
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return (
    <div className="pj-Card" ref={frame}>
      <VisibleContext.Provider value={visible}>
        <Content payload={payload} />
      </VisibleContext.Provider>
    </div>
  );
}

function Content({ payload }: { payload: Payload }): JSX.Element {
  const { project } = useServices();
  const trans = useTrans();
  const list = useSignal(project.changed, () => project.list);
  const current = useSignal(project.changed, () => project.path);
  const found = useResource(
    ['card', payload.run_id, payload.project, list?.length ?? -1],
    ['problem', 'develop', 'deploy'],
    (client, signal) => findRun(client, payload, list ?? [], signal),
    {
      enabled: list !== undefined,
      // Events come from the current project only.
      every: seen =>
        seen !== undefined && seen.project !== current && isAtWork(seen.run.summary)
          ? POLL_MS
          : undefined
    }
  );
  const { data, error, reload } = found;
  const foreign = data !== undefined && data.project !== current;
  if (data !== undefined) {
    return <Loaded found={data} foreign={foreign} />;
  }
  return (
    <>
      <header className="pj-Card-head">
        <strong className="pj-Card-name">{payload.name}</strong>
      </header>
      <div className="pj-Card-body">
        {error === undefined ? (
          <p className="pj-mod-quiet">{trans.__('Looking for the run…')}</p>
        ) : (
          <ErrorView error={error} retry={reload} compact />
        )}
      </div>
    </>
  );
}

function Loaded({ found, foreign }: { found: Found; foreign: boolean }): JSX.Element {
  const { run, kpis, project } = found;
  const trans = useTrans();
  const runId = run.summary.run_id;
  const live = useLiveRuns([run.summary], new Set([runId]), foreign ? project : undefined);
  const [summary = run.summary] = live.runs;
  const curves = live.curves.get(runId);
  const metric = curves === undefined ? undefined : cardMetric(curves, kpis);
  const series = metric === undefined ? undefined : curves?.get(metric);
  const target = mainTarget(summary, kpis);
  const kpi = metric === undefined ? undefined : kpiOf(metric, kpis);
  const others = Object.keys(summary.metrics).filter(
    key =>
      !isSystem(key) &&
      key !== target?.metric &&
      (target?.measured !== true || kpiOf(key, kpis) === undefined)
  );
  const inputs = dataOf(run.inputs);
  const path = series === undefined ? undefined : pathOf(series);
  return (
    <>
      <Head summary={summary} foreign={foreign} obstacle={run.obstacle} />
      <div className="pj-Card-target">
        {target === null ? (
          <span className="pj-mod-quiet">
            {kpis.length === 0
              ? trans.__('No target is set for this project')
              : trans.__('No target was measured yet')}
          </span>
        ) : (
          <TargetLine target={target} />
        )}
        {path !== undefined &&
          others.slice(0, 3).map(key => (
            <span key={key} className="pj-Card-figure">
              {key} <Figure value={summary.metrics[key]} />
            </span>
          ))}
      </div>
      <div className="pj-Card-body">
        {run.error !== '' && path === undefined ? (
          <pre className="pj-Run-error">{run.error}</pre>
        ) : path !== undefined && metric !== undefined ? (
          <Chart
            title={metric}
            series={[{ key: runId, label: metric, color: colorOf(runId), x: path.x, y: path.y }]}
            height={CURVE}
            {...(kpi === undefined
              ? {}
              : { target: { value: kpi.target, label: trans.__('target %1', kpi.target) } })}
          />
        ) : others.length > 0 ? (
          <dl className="pj-Card-metrics">
            {others.slice(0, 12).map(key => (
              <div key={key}>
                <dt title={key}>{key}</dt>
                <dd>
                  <Figure value={summary.metrics[key]} />
                </dd>
              </div>
            ))}
          </dl>
        ) : (
          <p className="pj-mod-quiet">
            {isAtWork(summary)
              ? trans.__('The curve begins with the first pj.log(…).')
              : trans.__('This run logged no metric.')}
          </p>
        )}
      </div>
      <footer className="pj-Card-foot pj-Facts">
        {inputs.length > 0 && (
          <span className="pj-Card-inputs">
            {trans.__('data')}{' '}
            {inputs.map(ref => (
              <RefLink key={ref} of={ref} />
            ))}
          </span>
        )}
        {run.unregistered.length > 0 && (
          <span title={run.unregistered.join('\n')}>
            <StateGlyph state="attention" />{' '}
            {trans._n(
              '%1 file that is not registered',
              '%1 files that are not registered',
              run.unregistered.length
            )}
          </span>
        )}
        <span>{run.seed === null ? trans.__('no seed') : trans.__('seed %1', run.seed)}</span>
        {summary.models.map(ref => (
          <span key={ref}>
            {trans.__('model')} <RefLink of={ref} />
          </span>
        ))}
      </footer>
    </>
  );
}

interface HeadProps {
  summary: RunSummary;
  /** It belongs to another project than the current one. */
  foreign: boolean;
  /** Why it cannot be run again; empty when it can. */
  obstacle: string;
}

function Head({ summary, foreign, obstacle }: HeadProps): JSX.Element {
  const trans = useTrans();
  const running = summary.state === 'running';
  const now = useNow(running);
  const left = timeLeft(summary, now);
  const { name, progress, proved } = summary;
  return (
    <header className="pj-Card-head">
      <StateGlyph state={summary.state} />
      <strong className="pj-Card-name" title={name}>
        {name}
      </strong>
      <span className="pj-Card-state" role="status">
        <StateWords summary={summary} now={now} foreign={foreign} />
      </span>
      {left !== null && (
        <span className="pj-mod-quiet">{trans.__('~%1 left', durationText(left))}</span>
      )}
      {proved !== null && (
        <StateGlyph
          state={proved ? 'pass' : 'fail'}
          label={proved ? trans.__('verified') : trans.__('not verified')}
          word
        />
      )}
      <CardActions summary={summary} foreign={foreign} obstacle={obstacle} />
      {running && progress !== null && (
        <div className="pj-Card-progress" style={{ width: `${progress * 100}%` }} />
      )}
    </header>
  );
}

function CardActions({ summary, foreign, obstacle }: HeadProps): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { run_id: runId, name, models, metrics, state } = summary;
  const [model] = models;
  const act = (command: string): void => void commands.execute(command, { run_id: runId, name });
  return (
    <span className="pj-Card-actions">
      {isAtWork(summary) && (
        <Button onClick={() => act(CommandIDs.stopRun)}>{trans.__('Stop')}</Button>
      )}
      {!isAtWork(summary) && model !== undefined && (
        <Button
          look="accept"
          onClick={() => void commands.execute(DeployIDs.deployModel, { model })}
        >
          {trans.__('Deploy')}
        </Button>
      )}
      {!isAtWork(summary) && !foreign && Object.keys(metrics).length > 0 && (
        <Button onClick={() => act(CommandIDs.compareWithBest)}>
          {trans.__('Compare with best')}
        </Button>
      )}
      {state === 'finished' && obstacle === '' && !foreign && (
        <Button onClick={() => act(CommandIDs.rerunRun)}>{trans.__('Rerun and verify')}</Button>
      )}
      <Button onClick={() => act(CommandIDs.openRun)}>{trans.__('Open')}</Button>
    </span>
  );
}

/** Whether it has not ended. */
function isAtWork({ state }: RunSummary): boolean {
  return state === 'running' || state === 'queued';
}

function StateWords(props: Omit<HeadProps, 'obstacle'> & { now: number }): JSX.Element {
  const { summary, foreign, now } = props;
  const trans = useTrans();
  const queued = summary.state === 'queued';
  // Another project's jobs are not asked for here.
  const job = useJob(queued && !foreign ? summary.job : '');
  const took = durationText(duration(summary, now));
  const { progress } = summary;
  if (queued) {
    const waiting = job.data?.waiting ?? '';
    return (
      <span title={waiting}>
        {waiting === '' ? trans.__('waits to start') : trans.__('waits for %1', waiting)}
      </span>
    );
  }
  if (summary.state === 'running') {
    const far = progress === null ? took : percent(progress);
    return (
      <>
        {summary.job === ''
          ? trans.__('running %1', far)
          : trans.__('running in the background %1', far)}
      </>
    );
  }
  return <>{endWord(summary.state, took, trans)}</>;
}

function endWord(state: RunSummary['state'], took: string, trans: Trans): string {
  switch (state) {
    case 'queued':
    case 'running':
      return '';
    case 'finished':
      return trans.__('finished in %1', took);
    case 'failed':
      return trans.__('failed after %1', took);
    case 'stopped':
      return trans.__('stopped after %1', took);
    case 'lost':
      return trans.__('lost: its process is gone');
  }
}

/** The run, in whichever project has it: an absolute folder names a project only by its end. */
async function findRun(
  client: Client,
  payload: Payload,
  list: readonly ProjectSummary[],
  signal: AbortSignal
): Promise<Found> {
  for (const project of projectsOf(payload.project, list)) {
    let run: Run;
    try {
      run = await client.get('/runs/{run_id}', {
        path: { run_id: payload.run_id },
        project,
        signal
      });
    } catch (error) {
      if (error instanceof PerijoveError && error.status === 404) {
        continue;
      }
      throw error;
    }
    const { kpis } = await client.get('/project', { project, signal });
    return { run, kpis, project };
  }
  throw new PerijoveError({
    code: 'run_not_found',
    message: `The run ${payload.name} is in no project here.`,
    hint: 'It was tracked elsewhere, or its project was moved or deleted.'
  });
}
