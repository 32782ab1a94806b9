import { useCallback, useEffect, useMemo, useState } from 'react';

import type { Comparison, Kpi } from '../../api';
import { Button } from '../../kit/button';
import { Loaded } from '../../kit/feedback';
import { PageHeader, Section } from '../../kit/header';
import { useKept } from '../../kit/kept';
import type { PageArgs, PageProps } from '../../kit/page';
import { colorOf } from '../../kit/palette';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { Time } from '../../kit/values';
import { PLAIN_CURVES, readCurveLook, type CurveLook } from '../curve_look';
import { CommandIDs } from '../tokens';
import { CodeDiffs } from './code_diff';
import { RunName } from './columns';
import { ComparedTable } from './compared_table';
import { CurvePanel } from './curve_panel';
import { RunPlots } from './run_plots';
import { VerdictBadge } from './verdict';

export interface CompareArgs extends PageArgs {
  /** The others are told from the first. */
  run_ids: string[];
}

const NO_KPIS: readonly Kpi[] = [];

/** Runs side by side: what differs first, then their curves, their code, and what it led to. */
export default function ComparePage({ args, setTitle }: PageProps<CompareArgs>): JSX.Element {
  const ids = args.run_ids;
  const trans = useTrans();
  const comparison = useResource(['compare', ...ids], ['develop', 'deploy'], (client, signal) =>
    client.post('/runs/compare', { body: { run_ids: ids }, signal })
  );
  const project = useResource(['project'], ['problem'], (client, signal) =>
    client.get('/project', { signal })
  );
  const names = comparison.data?.runs.map(run => run.name);
  const title =
    names === undefined
      ? undefined
      : names.length === 2
        ? trans.__('%1 and %2', names[0], names[1])
        : trans.__('%1 and %2 more', names[0], names.length - 1);
  useEffect(() => {
    if (title !== undefined) {
      setTitle(title);
    }
  }, [title, setTitle]);
  return (
    <div className="pj-Compare">
      <Loaded resource={comparison}>
        {data => <CompareView comparison={data} kpis={project.data?.kpis ?? NO_KPIS} />}
      </Loaded>
    </div>
  );
}

function CompareView(props: { comparison: Comparison; kpis: readonly Kpi[] }): JSX.Element {
  const { comparison, kpis } = props;
  const { runs } = comparison;
  const { commands } = useServices();
  const trans = useTrans();
  const [curves, setCurves] = useKept<CurveLook>('curves', PLAIN_CURVES, readCurveLook);
  const [lit, setLit] = useState<string>();
  const onCurves = useCallback(
    (change: Partial<CurveLook>) => setCurves(old => ({ ...old, ...change })),
    [setCurves]
  );
  const charted = useMemo(
    () =>
      runs.map(run => ({
        run_id: run.run_id,
        name: run.name,
        started: run.started,
        color: colorOf(run.run_id),
        live: run.state === 'running'
      })),
    [runs]
  );
  const metrics = useMemo(
    () => [...new Set(runs.flatMap(run => Object.keys(run.metrics)))],
    [runs]
  );
  const ids = runs.map(run => run.run_id);
  /** Tell the others from this one. */
  const lead = (id: string): void =>
    void commands.execute(CommandIDs.compare, {
      run_ids: [id, ...ids.filter(other => other !== id)]
    });
  return (
    <>
      <PageHeader
        kind={trans.__('Comparison')}
        title={trans._n('%2 run', '%2 runs', runs.length, runs.length)}
        actions={
          <Button onClick={() => void commands.execute(CommandIDs.open)}>
            {trans.__('Choose other runs')}
          </Button>
        }
      />
      <ul className="pj-Compare-runs">
        {runs.map((run, index) => (
          <li
            key={run.run_id}
            className={lit === run.run_id ? 'pj-mod-lit' : undefined}
            onMouseEnter={() => setLit(run.run_id)}
            onMouseLeave={() => setLit(undefined)}
          >
            <Button
              look="link"
              className="pj-Compare-run"
              onClick={() =>
                void commands.execute(CommandIDs.openRun, { run_id: run.run_id, name: run.name })
              }
            >
              <RunName run={run} />
            </Button>
            <VerdictBadge run={run} />
            <Time at={run.started} />
            {index === 0 ? (
              <span className="pj-mod-quiet">{trans.__('the others are told from it')}</span>
            ) : (
              <Button look="link" onClick={() => lead(run.run_id)}>
                {trans.__('Tell from this')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ComparedTable comparison={comparison} lit={lit} onLit={setLit} />
      <Section title={trans.__('Curves')}>
        <CurvePanel
          runs={charted}
          metrics={metrics}
          kpis={kpis}
          look={curves}
          onLook={onCurves}
          lit={lit}
          onLit={setLit}
          sync={`compare ${ids.join()}`}
        />
      </Section>
      <Section title={trans.__('Code')}>
        <CodeDiffs diffs={comparison.code} runs={runs} />
      </Section>
      <RunPlots ids={ids} kpis={kpis} />
    </>
  );
}
