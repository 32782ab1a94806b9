import { useCallback, useEffect, useMemo, useState } from 'react';

import type { Kpi, Run, RunSummary } from '../../api';
import { CommandIDs as DeployIDs } from '../../deploy/tokens';
import { Button } from '../../kit/button';
import { Empty, Loaded } from '../../kit/feedback';
import { duration as durationText, percent } from '../../kit/format';
import { PageHeader } from '../../kit/header';
import { useJob } from '../../kit/job';
import { useKept } from '../../kit/kept';
import { JobLog } from '../../kit/log';
import type { PageArgs, PageProps } from '../../kit/page';
import { colorOf } from '../../kit/palette';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { Tabs, type Tab } from '../../kit/tabs';
import { Time } from '../../kit/values';
import { PLAIN_CURVES, readCurveLook, type CurveLook } from '../curve_look';
import { duration, timeLeft } from '../figures';
import { useLiveRuns, useNow } from '../live';
import { CommandIDs } from '../tokens';
import { CurvePanel } from './curve_panel';
import { ArtifactsTab } from './run/artifacts';
import { CodeTab } from './run/code';
import { SearchTab } from './run/search';
import { SummaryTab } from './run/summary';
import { VerifyTab } from './run/verify';

const TABS = ['summary', 'search', 'curves', 'code', 'artifacts', 'log', 'verify'] as const;
type TabId = (typeof TABS)[number];

export interface RunArgs extends PageArgs {
  run_id: string;
  name?: string;
  /** The tab to show; the last one when left out. */
  tab?: string;
}

/** One run with everything that made it, and what it made. */
export default function RunPage({ args, setTitle }: PageProps<RunArgs>): JSX.Element {
  const { run_id: runId } = args;
  const [tab, setTab] = useKept<TabId>('tab', tabOf(args.tab) ?? 'summary', tabOf);
  // A command that names a tab shows it, each time that it is run.
  useEffect(() => {
    const wanted = tabOf(args.tab);
    if (wanted !== undefined) {
      setTab(wanted);
    }
  }, [args, setTab]);
  const run = useResource(['run', runId], ['develop', 'deploy', 'operate'], (client, signal) =>
    client.get('/runs/{run_id}', { path: { run_id: runId }, signal })
  );
  const project = useResource(['project'], ['problem'], (client, signal) =>
    client.get('/project', { signal })
  );
  const name = run.data?.summary.name;
  useEffect(() => {
    if (name !== undefined) {
      setTitle(name);
    }
  }, [name, setTitle]);
  return (
    <div className="pj-Run pj-PageFill">
      <Loaded resource={run}>
        {data => (
          <RunView run={data} kpis={project.data?.kpis ?? NO_KPIS} tab={tab} onTab={setTab} />
        )}
      </Loaded>
    </div>
  );
}

const NO_KPIS: readonly Kpi[] = [];

/** The curves are asked for by their own tab. */
const NONE: ReadonlySet<string> = new Set();

function tabOf(word: unknown): TabId | undefined {
  return TABS.find(tab => tab === word);
}

interface RunViewProps {
  run: Run;
  kpis: readonly Kpi[];
  tab: TabId;
  onTab: (tab: TabId) => void;
}

function RunView({ run, kpis, tab, onTab }: RunViewProps): JSX.Element {
  const trans = useTrans();
  const { runs } = useLiveRuns([run.summary], NONE);
  const [summary = run.summary] = runs;
  const { search } = run;
  const tabs: Tab[] = [
    { id: 'summary', label: trans.__('Summary') },
    ...(search === null
      ? []
      : [{ id: 'search', label: trans.__('Search'), count: search.trials.length }]),
    { id: 'curves', label: trans.__('Curves') },
    { id: 'code', label: trans.__('Code') },
    { id: 'artifacts', label: trans.__('Artifacts') },
    { id: 'log', label: trans.__('Log') },
    {
      id: 'verify',
      label: trans.__('Verify'),
      ...(run.certificates.length > 0 && { count: run.certificates.length })
    }
  ];
  const shown = tabs.some(one => one.id === tab) ? tab : 'summary';
  const content = {
    summary: () => <SummaryTab run={run} summary={summary} kpis={kpis} />,
    search: () => (search === null ? null : <SearchTab search={search} />),
    curves: () => <CurvesTab summary={summary} kpis={kpis} />,
    code: () => <CodeTab run={run} />,
    artifacts: () => <ArtifactsTab run={run} />,
    log: () => <LogTab summary={summary} />,
    verify: () => <VerifyTab run={run} />
  }[shown];
  return (
    <>
      <PageHeader
        kind={search === null ? trans.__('Run') : trans.__('Search')}
        title={summary.name}
        state={summary.state}
        facts={<Facts run={run} summary={summary} />}
        actions={<Actions summary={summary} />}
      />
      {summary.state === 'queued' && <Waiting job={summary.job} />}
      {run.error !== '' && (
        <div className="pj-Note pj-mod-failed" role="alert">
          <pre className="pj-Run-error">{run.error}</pre>
        </div>
      )}
      {summary.state === 'lost' && (
        <p className="pj-Note">
          {trans.__(
            'The process of this run is gone, and it did not say how it ended. What it had logged is kept.'
          )}
        </p>
      )}
      <Tabs
        label={trans.__('Parts of the run')}
        tabs={tabs}
        current={shown}
        onChange={id => onTab(tabOf(id) ?? 'summary')}
      >
        {content()}
      </Tabs>
    </>
  );
}

function Facts({ run, summary }: { run: Run; summary: RunSummary }): JSX.Element {
  const { commands, project } = useServices();
  const trans = useTrans();
  const running = summary.state === 'running';
  const now = useNow(running);
  const left = timeLeft(summary, now);
  const { notebook } = summary;
  return (
    <div className="pj-Facts">
      {summary.state === 'queued' ? (
        <span>
          {trans.__('sent')} <Time at={summary.started} />
        </span>
      ) : (
        <>
          <span>
            {trans.__('started')} <Time at={summary.started} />
          </span>
          <span>
            {running
              ? trans.__('for %1', durationText(duration(summary, now)))
              : trans.__('took %1', durationText(duration(summary, now)))}
          </span>
        </>
      )}
      {running && summary.progress !== null && <span>{percent(summary.progress)}</span>}
      {left !== null && <span>{trans.__('about %1 left', durationText(left))}</span>}
      {notebook !== '' && (
        <span>
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
      {summary.job !== '' && <span>{trans.__('in the background')}</span>}
      {summary.proved !== null && (
        <span>
          <StateGlyph
            state={summary.proved ? 'pass' : 'fail'}
            label={summary.proved ? trans.__('verified') : trans.__('not verified')}
            word
          />
        </span>
      )}
      {run.parent !== '' && (
        <span>
          <Button
            look="link"
            onClick={() => void commands.execute(CommandIDs.openRun, { run_id: run.parent })}
          >
            {trans.__('part of a search')}
          </Button>
        </span>
      )}
      {summary.tracked_by === 'mlflow' && <span>{trans.__('tracked by MLflow')}</span>}
    </div>
  );
}

function Actions({ summary }: { summary: RunSummary }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { run_id: runId, name, state, metrics, models } = summary;
  const act = (command: string): void => void commands.execute(command, { run_id: runId, name });
  if (state === 'running' || state === 'queued') {
    return <Button onClick={() => act(CommandIDs.stopRun)}>{trans.__('Stop run')}</Button>;
  }
  const [model] = models;
  return (
    <>
      {Object.keys(metrics).length > 0 && (
        <Button onClick={() => act(CommandIDs.compareWithBest)}>
          {trans.__('Compare with best')}
        </Button>
      )}
      {model !== undefined && (
        <Button
          look="accept"
          onClick={() => void commands.execute(DeployIDs.deployModel, { model })}
        >
          {trans.__('Deploy model')}
        </Button>
      )}
    </>
  );
}

/** What a run waits for that has not begun. */
function Waiting({ job: id }: { job: string }): JSX.Element {
  const trans = useTrans();
  const job = useJob(id);
  const waiting = job.data?.waiting ?? '';
  return (
    <p className="pj-Note" role="status">
      {waiting === '' ? trans.__('It waits to start.') : trans.__('It waits for %1.', waiting)}
    </p>
  );
}

function CurvesTab({ summary, kpis }: { summary: RunSummary; kpis: readonly Kpi[] }): JSX.Element {
  const [look, setLook] = useKept<CurveLook>('curves', PLAIN_CURVES, readCurveLook);
  const [lit, setLit] = useState<string>();
  const { run_id: runId, name, started, state } = summary;
  const runs = useMemo(
    () => [{ run_id: runId, name, started, color: colorOf(runId), live: state === 'running' }],
    [runId, name, started, state]
  );
  const known = Object.keys(summary.metrics).sort().join('\n');
  const metrics = useMemo(() => (known === '' ? [] : known.split('\n')), [known]);
  const onLook = useCallback(
    (change: Partial<CurveLook>) => setLook(old => ({ ...old, ...change })),
    [setLook]
  );
  return (
    <CurvePanel
      runs={runs}
      metrics={metrics}
      kpis={kpis}
      look={look}
      onLook={onLook}
      lit={lit}
      onLit={setLit}
      sync={`run ${runId}`}
    />
  );
}

function LogTab({ summary }: { summary: RunSummary }): JSX.Element {
  const trans = useTrans();
  if (summary.job === '') {
    return (
      <Empty>
        {trans.__(
          'This run was in the kernel of a notebook: what it printed is in the output of its cell.'
        )}
      </Empty>
    );
  }
  return <JobLog id={summary.job} fill />;
}
