import { useEffect } from 'react';

import type { Kpi, Run } from '../../api';
import { Button } from '../../kit/button';
import { ErrorView, Loaded } from '../../kit/feedback';
import { duration as durationText, percent } from '../../kit/format';
import { PageHeader, Section } from '../../kit/header';
import type { PageArgs, PageProps } from '../../kit/page';
import { RefLink } from '../../kit/ref';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { Badge, Figure, KeyValue, Time } from '../../kit/values';
import { CommandIDs as DeployIDs } from '../../deploy/tokens';
import { dataOf } from '../card';
import { duration, timeLeft } from '../figures';
import { useLiveRuns, useNow } from '../live';
import { targetsOf } from '../target';
import { CommandIDs } from '../tokens';
import { RunCurves } from './curves';
import { TargetLine } from './verdict';

export interface RunArgs extends PageArgs {
  run_id: string;
  name?: string;
}

/** One run with everything that made it, and what it made. */
export default function RunPage({ args, setTitle }: PageProps<RunArgs>): JSX.Element {
  const { run_id: runId } = args;
  const run = useResource(['run', runId], ['develop', 'deploy'], (client, signal) =>
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
    <div className="pj-Run">
      <Loaded resource={run}>
        {data => <RunView run={data} kpis={project.data?.kpis ?? NO_KPIS} />}
      </Loaded>
    </div>
  );
}

const NO_KPIS: readonly Kpi[] = [];

function RunView({ run, kpis }: { run: Run; kpis: readonly Kpi[] }): JSX.Element {
  const { commands, project } = useServices();
  const trans = useTrans();
  const runId = run.summary.run_id;
  const live = useLiveRuns([run.summary], new Set([runId]));
  const [summary = run.summary] = live.runs;
  const running = summary.state === 'running';
  const now = useNow(running);
  const left = timeLeft(summary, now);
  const targets = targetsOf(summary);
  const model = summary.models[0];
  const { notebook } = summary;
  return (
    <>
      <PageHeader
        kind={trans.__('Run')}
        title={summary.name}
        state={summary.state}
        facts={
          <div className="pj-Facts">
            <span>
              {trans.__('started')} <Time at={summary.started} />
            </span>
            <span>
              {running
                ? trans.__('for %1', durationText(duration(summary, now)))
                : trans.__('took %1', durationText(duration(summary, now)))}
            </span>
            {running && summary.progress !== null && <span>{percent(summary.progress)}</span>}
            {left !== null && <span>{trans.__('about %1 left', durationText(left))}</span>}
            {notebook !== '' && (
              <span>
                <Button
                  look="link"
                  onClick={() =>
                    void commands.execute('docmanager:open', {
                      path: project.absolute(notebook)
                    })
                  }
                >
                  {notebook}
                </Button>
              </span>
            )}
            {summary.tracked_by === 'mlflow' && <span>{trans.__('tracked by MLflow')}</span>}
          </div>
        }
        actions={
          <>
            {running && (
              <Button
                onClick={() =>
                  void commands.execute(CommandIDs.stopRun, { run_id: runId, name: summary.name })
                }
              >
                {trans.__('Stop')}
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
        }
      />
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
      <Section title={trans.__('Targets')}>
        {targets.length === 0 ? (
          <p className="pj-mod-quiet pj-Run-line">
            {kpis.length === 0
              ? trans.__('This project has no target yet.')
              : trans.__('Nothing was measured yet: pj.evaluate(model, "%1") does.', kpis[0]!.data)}
          </p>
        ) : (
          <ul className="pj-Run-targets">
            {targets.map(target => (
              <li key={`${target.metric} ${target.on}`}>
                <TargetLine target={target} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      {live.error !== undefined && <ErrorView error={live.error} retry={live.retry} compact />}
      <RunCurves runs={live.runs} curves={live.curves} kpis={kpis} />
      <div className="pj-Run-facts">
        <Section title={trans.__('Metrics')}>
          <Values
            items={Object.keys(summary.metrics)
              .sort()
              .map(key => [key, <Figure key={key} value={summary.metrics[key]} />])}
            none={trans.__('No metric was logged.')}
          />
        </Section>
        <Section title={trans.__('Parameters')}>
          <Values
            items={Object.entries(summary.params).sort(([a], [b]) => a.localeCompare(b))}
            none={trans.__('No parameter was logged.')}
          />
        </Section>
        <Section title={trans.__('Data and models')}>
          <DataAndModels run={run} />
        </Section>
        <Section title={trans.__('What made it')}>
          <KeyValue
            items={[
              [
                trans.__('Commit'),
                run.git_commit === '' ? (
                  <span key="commit" className="pj-mod-quiet">
                    {trans.__('not in a git repository')}
                  </span>
                ) : (
                  <span key="commit">
                    <code title={run.git_commit}>{run.git_commit.slice(0, 10)}</code>{' '}
                    {run.git_dirty && (
                      <Badge
                        look="attention"
                        title={trans.__('There were changes that are in no commit')}
                      >
                        {trans.__('with changes')}
                      </Badge>
                    )}
                  </span>
                )
              ],
              [trans.__('Seed'), run.seed === null ? trans.__('none') : String(run.seed)],
              [trans.__('By'), run.tags['mlflow.user'] ?? null],
              [trans.__('Run'), <code key="id">{runId}</code>]
            ]}
          />
        </Section>
      </div>
      <Cells run={run} />
      <Folded
        title={trans.__('Environment')}
        values={Object.entries(run.environment).sort(byName)}
      />
      <Folded title={trans.__('Tags')} values={Object.entries(run.tags).sort(byName)} />
    </>
  );
}

function byName([a]: [string, string], [b]: [string, string]): number {
  // Python and the platform say more than any package.
  const rank = (name: string): number => (name === 'python' || name === 'platform' ? 0 : 1);
  return rank(a) - rank(b) || a.localeCompare(b);
}

function Values(props: {
  items: readonly (readonly [string, string | JSX.Element])[];
  none: string;
}): JSX.Element {
  return props.items.length === 0 ? (
    <p className="pj-mod-quiet pj-Run-line">{props.none}</p>
  ) : (
    <KeyValue items={props.items} />
  );
}

function DataAndModels({ run }: { run: Run }): JSX.Element {
  const trans = useTrans();
  const refs = (items: readonly string[], none: string): JSX.Element =>
    items.length === 0 ? (
      <span className="pj-mod-quiet">{none}</span>
    ) : (
      <ul className="pj-RefList">
        {items.map(ref => (
          <li key={ref}>
            <RefLink of={ref} />
          </li>
        ))}
      </ul>
    );
  return (
    <KeyValue
      items={[
        [trans.__('Read'), refs(dataOf(run.inputs), trans.__('no registered dataset'))],
        [
          trans.__('Not registered'),
          run.unregistered.length === 0 ? null : (
            <ul key="unregistered" className="pj-RefList">
              {run.unregistered.map(file => (
                <li key={file}>
                  <Badge
                    look="attention"
                    title={trans.__('A model that was trained on it does not pass the gate')}
                  >
                    {file}
                  </Badge>
                </li>
              ))}
            </ul>
          )
        ],
        [trans.__('Made'), refs(run.summary.models, trans.__('no model'))]
      ]}
    />
  );
}

function Cells({ run }: { run: Run }): JSX.Element | null {
  const trans = useTrans();
  const last = run.cells.at(-1);
  if (last === undefined) {
    return null;
  }
  const before = run.cells.slice(0, -1);
  return (
    <Section title={trans.__('Code')}>
      {before.length > 0 && (
        <details className="pj-Fold">
          <summary>
            {trans._n('%1 cell that ran before it', '%1 cells that ran before it', before.length)}
          </summary>
          {before.map(cell => (
            <CodeCell key={cell.number} number={cell.number} source={cell.source} />
          ))}
        </details>
      )}
      <CodeCell number={last.number} source={last.source} />
    </Section>
  );
}

function CodeCell({ number, source }: { number: number; source: string }): JSX.Element {
  return (
    <div className="pj-CodeCell">
      <span className="pj-CodeCell-number" aria-hidden="true">
        [{number}]:
      </span>
      <pre className="pj-Code" tabIndex={0}>
        {source}
      </pre>
    </div>
  );
}

function Folded(props: {
  title: string;
  values: readonly (readonly [string, string])[];
}): JSX.Element | null {
  if (props.values.length === 0) {
    return null;
  }
  return (
    <details className="pj-Fold">
      <summary>
        {props.title} <span className="pj-Tabs-count">{props.values.length}</span>
      </summary>
      <KeyValue items={props.values} />
    </details>
  );
}
