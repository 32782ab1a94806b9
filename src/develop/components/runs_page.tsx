import { useMemo, useState } from 'react';

import type { Kpi, RunSummary } from '../../api';
import { Empty, ErrorView, Loaded } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { count } from '../../kit/format';
import { PageHeader } from '../../kit/header';
import { colorOf } from '../../kit/palette';
import { useResource } from '../../kit/resource';
import { useServices, useSignal, useTrans } from '../../kit/services';
import { DataTable } from '../../kit/table';
import type { Direction } from '../figures';
import { useLiveRuns, useNow } from '../live';
import type { CurrentNotebook } from '../notebook';
import { columnsOf } from '../table';
import { kpiOf } from '../target';
import { CommandIDs } from '../tokens';
import { Chooser } from './chooser';
import { runColumns } from './columns';
import { RunCurves } from './curves';
import { Split } from './split';

/** Runs that are listed; more are found by their notebook. */
const LIMIT = 500;
/** So many columns of each group are shown before somebody chooses. */
const SHOWN = 4;
/** So many runs are charted before somebody chooses. */
const CHARTED = 3;

/** The page of runs, which knows the notebook that the user is in. */
export function runsPage(notebook: CurrentNotebook): () => JSX.Element {
  return function RunsPage() {
    const here = useSignal(notebook.changed, () => notebook.path);
    const [only, setOnly] = useState('');
    const runs = useResource(['runs'], ['develop', 'deploy'], (client, signal) =>
      client.get('/runs', { query: { notebook: '', limit: LIMIT }, signal })
    );
    // Runs of one notebook that are too old for the list are asked for by themselves.
    const partly = runs.data !== undefined && runs.data.total > runs.data.items.length;
    const older = useResource(
      ['runs', only],
      ['develop', 'deploy'],
      (client, signal) => client.get('/runs', { query: { notebook: only, limit: LIMIT }, signal }),
      { enabled: partly && only !== '' }
    );
    const project = useResource(['project'], ['problem'], (client, signal) =>
      client.get('/project', { signal })
    );
    const metrics = useResource(['metrics'], [], (client, signal) =>
      client.get('/metrics', { signal })
    );
    const kpis = project.data?.kpis;
    const directions = useMemo(() => {
      const known = new Map<string, Direction>();
      metrics.data?.items.forEach(metric => known.set(metric.name, metric.direction));
      kpis?.forEach(kpi => known.set(kpi.metric, kpi.direction));
      return known;
    }, [metrics.data, kpis]);
    return (
      <div className="pj-Runs pj-PageFill">
        <Loaded resource={runs}>
          {({ items, total }) => (
            <RunsView
              items={
                only === ''
                  ? items
                  : (older.data?.items ?? items.filter(run => run.notebook === only))
              }
              total={only === '' ? total : (older.data?.total ?? 0)}
              notebooks={items.map(run => run.notebook)}
              kpis={kpis ?? NO_KPIS}
              directions={directions}
              here={here}
              only={only}
              onOnly={setOnly}
            />
          )}
        </Loaded>
        {project.error !== undefined && (
          <ErrorView error={project.error} retry={project.reload} compact />
        )}
      </div>
    );
  };
}

const NO_KPIS: readonly Kpi[] = [];

interface RunsViewProps {
  items: readonly RunSummary[];
  total: number;
  /** The notebooks of all runs. */
  notebooks: readonly string[];
  kpis: readonly Kpi[];
  directions: ReadonlyMap<string, Direction>;
  here: string | null;
  only: string;
  onOnly: (notebook: string) => void;
}

function RunsView(props: RunsViewProps): JSX.Element {
  const { items, total, kpis, directions, here, only } = props;
  const { commands } = useServices();
  const trans = useTrans();
  const [picked, setPicked] = useState<ReadonlySet<string>>();
  const [choices, setChoices] = useState<ReadonlyMap<string, boolean>>(new Map());

  // Until somebody chooses: what runs now, and the newest.
  const charted = useMemo(
    () =>
      picked ??
      new Set(
        [...items]
          .sort((a, b) => Number(b.state === 'running') - Number(a.state === 'running'))
          .slice(0, CHARTED)
          .map(run => run.run_id)
      ),
    [picked, items]
  );
  const { runs, curves, error, retry } = useLiveRuns(items, charted);
  const now = useNow(runs.some(run => run.state === 'running'));
  const keys = useMemo(() => {
    const { metrics, params } = columnsOf(runs);
    const rank = (metric: string): number => (kpiOf(metric, kpis) === undefined ? 1 : 0);
    return { metrics: metrics.sort((a, b) => rank(a) - rank(b)), params };
  }, [runs, kpis]);
  const groups = [
    { title: trans.__('Metrics'), items: keys.metrics },
    { title: trans.__('Parameters'), items: keys.params }
  ];
  const chosen = new Set(
    groups.flatMap(group =>
      group.items
        .map((item, index) => ({ id: `${group.title} ${item}`, index }))
        .filter(({ id, index }) => choices.get(id) ?? index < SHOWN)
        .map(({ id }) => id)
    )
  );
  const [metrics, params] = groups.map(group =>
    group.items.filter(item => chosen.has(`${group.title} ${item}`))
  ) as [string[], string[]];
  const columns = runColumns({ runs, metrics, params, directions, now, trans });
  const toggle = (run: RunSummary): void => {
    const next = new Set(charted);
    if (!next.delete(run.run_id)) {
      next.add(run.run_id);
    }
    setPicked(next);
  };
  const shown = runs.filter(run => charted.has(run.run_id));
  return (
    <>
      <PageHeader
        title={trans.__('Runs')}
        facts={
          <div className="pj-Facts">
            <span>
              {total > items.length
                ? trans.__('the newest %1 of %2 runs', count(items.length), count(total))
                : trans._n('%2 run', '%2 runs', items.length, count(items.length))}
            </span>
            <span>{trans.__('Space shows a curve, Enter opens the run')}</span>
          </div>
        }
        actions={
          <>
            <NotebookFilter
              notebooks={props.notebooks}
              here={here}
              only={only}
              onOnly={props.onOnly}
            />
            <Chooser
              groups={groups}
              chosen={chosen}
              onChange={(id, on) => setChoices(new Map(choices).set(id, on))}
            />
          </>
        }
      />
      {items.length === 0 ? (
        <Empty>
          {only === ''
            ? trans.__(
                'No run is tracked yet: put %%train at the head of the cell that trains a model, and run it.'
              )
            : trans.__('This notebook has no tracked run yet.')}
        </Empty>
      ) : (
        <Split
          first={
            <DataTable
              label={trans.__('Runs')}
              columns={columns}
              rows={runs}
              rowKey={run => run.run_id}
              onOpen={({ run_id, name }) =>
                void commands.execute(CommandIDs.openRun, { run_id, name })
              }
              selected={charted}
              onToggle={toggle}
              swatch={run => colorOf(run.run_id)}
              sort={{ column: 'started', descending: true }}
              height="fill"
            />
          }
          second={
            <div className="pj-Runs-curves">
              {error !== undefined && <ErrorView error={error} retry={retry} compact />}
              <RunCurves runs={shown} curves={curves} kpis={kpis} sync="runs" />
              {shown.length === 0 ? (
                <Empty>{trans.__('Choose runs in the table to see their curves here.')}</Empty>
              ) : (
                shown.every(run => curves.has(run.run_id)) && (
                  <NoCurves shown={shown} curves={curves} />
                )
              )}
            </div>
          }
        />
      )}
    </>
  );
}

function NoCurves(props: {
  shown: readonly RunSummary[];
  curves: ReadonlyMap<string, ReadonlyMap<string, { steps: number[] }>>;
}): JSX.Element | null {
  const trans = useTrans();
  const some = props.shown.some(run =>
    [...(props.curves.get(run.run_id)?.values() ?? [])].some(series => series.steps.length > 1)
  );
  return some ? null : (
    <Empty>
      {trans.__(
        'These runs logged each metric once, so there is no curve. pj.log(step=…, loss=…) in the training loop makes one.'
      )}
    </Empty>
  );
}

function NotebookFilter(props: {
  notebooks: readonly string[];
  here: string | null;
  only: string;
  onOnly: (notebook: string) => void;
}): JSX.Element {
  const { notebooks, here, only, onOnly } = props;
  const trans = useTrans();
  const others = new Set(notebooks.filter(path => path !== ''));
  if (only !== '') {
    others.add(only);
  }
  if (here !== null) {
    others.delete(here);
  }
  return (
    <div className="pj-Runs-filter">
      <SelectField
        bare
        label={trans.__('Runs of')}
        value={only}
        onChange={onOnly}
        options={[
          { value: '', label: trans.__('All notebooks') },
          ...(here === null ? [] : [{ value: here, label: trans.__('This notebook: %1', here) }]),
          ...[...others].sort().map(path => ({ value: path, label: path }))
        ]}
      />
    </div>
  );
}
