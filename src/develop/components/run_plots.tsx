import { useMemo, useState } from 'react';

import type { Kpi, RunColumn } from '../../api';
import { Empty, ErrorView, Loaded } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { count, figure } from '../../kit/format';
import { Section } from '../../kit/header';
import { useResource } from '../../kit/resource';
import { useTrans } from '../../kit/services';
import { VegaPlot } from '../../kit/vega';
import { isSystem, partsOf } from '../look';
import { columnTitle } from '../names';
import {
  importanceSpec,
  isPlottable,
  MOST_LINES,
  parallelSpec,
  scatterSpec,
  valuesOf,
  type PlottedRuns
} from '../plots';
import { kpiOf } from '../target';

export interface RunPlotsProps {
  ids: readonly string[];
  kpis: readonly Kpi[];
}

type Scope = 'these' | 'all';

/** So many parameters and metrics are looked at. */
const MOST_COLUMNS = 60;
/** So many axes stand side by side. */
const MOST_AXES = 7;

/** What led to what: parallel coordinates, a scatter plot, and which parameters matter. */
export function RunPlots({ ids, kpis }: RunPlotsProps): JSX.Element {
  const trans = useTrans();
  const [scope, setScope] = useState<Scope>(ids.length > 7 ? 'these' : 'all');
  const known = useResource(['run-columns'], ['develop'], (client, signal) =>
    client.post('/runs/table', { body: { limit: 1 }, signal })
  );
  const columns = useMemo(
    () => (known.data === undefined ? [] : plottedColumns(known.data.columns, kpis)),
    [known.data, kpis]
  );
  const wanted = scope === 'these' ? ids : [];
  const runs = useResource(
    ['plotted', scope, ...wanted, columns.join('\n')],
    ['develop'],
    (client, signal) =>
      client.post('/runs/table', {
        body: {
          columns,
          limit: MOST_LINES,
          ...(scope === 'these' && {
            filter: { type: 'one_of', column: 'attributes.run_id', values: [...ids] }
          })
        },
        signal
      }),
    { enabled: columns.length > 0, keep: true }
  );
  const plotted = useMemo<PlottedRuns | undefined>(
    () => (runs.data === undefined ? undefined : { columns, rows: runs.data.rows }),
    [runs.data, columns]
  );
  const all = known.data?.runs ?? 0;
  return (
    <Section
      title={trans.__('What led to what')}
      actions={
        <SelectField
          bare
          label={trans.__('Of which runs')}
          value={scope}
          options={[
            { value: 'these', label: trans.__('of these %1 runs', ids.length) },
            {
              value: 'all',
              label:
                all > MOST_LINES
                  ? trans.__('of the newest %1 runs', count(MOST_LINES))
                  : trans.__('of all %1 runs', count(all))
            }
          ]}
          onChange={value => setScope(value as Scope)}
        />
      }
    >
      {known.error !== undefined && <ErrorView error={known.error} retry={known.reload} compact />}
      {known.data !== undefined && columns.length === 0 ? (
        <Empty>
          {trans.__('No run has a metric or a parameter that differs from the others.')}
        </Empty>
      ) : (
        <Loaded resource={{ ...runs, data: plotted }}>
          {data => <Plots runs={data} kpis={kpis} ids={scope === 'these' ? ids : []} />}
        </Loaded>
      )}
    </Section>
  );
}

function Plots(props: {
  runs: PlottedRuns;
  kpis: readonly Kpi[];
  ids: readonly string[];
}): JSX.Element {
  const { runs, kpis, ids } = props;
  const trans = useTrans();
  const title = (column: string): string => columnTitle(column, trans);
  const { metrics, params } = useMemo(() => {
    const usable = runs.columns.filter(column => isPlottable(valuesOf(runs, column)));
    return {
      metrics: usable.filter(column => partsOf(column).kind === 'metrics'),
      params: usable.filter(column => partsOf(column).kind === 'params')
    };
  }, [runs]);
  const [chosen, setChosen] = useState('');
  const metric = metrics.includes(chosen) ? chosen : (metrics[0] ?? '');
  const [axes, setAxes] = useState({ x: '', y: '', color: '' });
  const either = [...metrics, ...params];
  const x = either.includes(axes.x) ? axes.x : (params[0] ?? metrics[1] ?? metric);
  const y = either.includes(axes.y) ? axes.y : metric;
  const color = either.includes(axes.color) ? axes.color : '';
  const options = either.map(column => ({ value: column, label: title(column) }));

  const parallel = useMemo(
    () =>
      parallelSpec(
        runs,
        [...params.slice(0, MOST_AXES - 1), metric],
        column => titleOf(column),
        figure
      ),
    [runs, params, metric]
  );
  const scatter = useMemo(
    () => scatterSpec(runs, { x, y, color }, column => titleOf(column)),
    [runs, x, y, color]
  );
  if (metric === '') {
    return <Empty>{trans.__('These runs have no metric that differs.')}</Empty>;
  }
  return (
    <div className="pj-Plots">
      <div className="pj-Plots-choice">
        <SelectField
          label={trans.__('Metric')}
          value={metric}
          options={metrics.map(column => ({ value: column, label: title(column) }))}
          onChange={setChosen}
        />
      </div>
      {params.length > 0 && (
        <figure className="pj-Plots-plot pj-mod-wide">
          <figcaption>{trans.__('Parallel coordinates, coloured by %1', title(metric))}</figcaption>
          <VegaPlot
            fill
            spec={parallel}
            label={trans.__('Parallel coordinates of %1 runs', runs.rows.length)}
          />
        </figure>
      )}
      <figure className="pj-Plots-plot">
        <figcaption className="pj-Plots-axes">
          <SelectField
            bare
            label={trans.__('y axis')}
            value={y}
            options={options}
            onChange={to => setAxes({ ...axes, y: to })}
          />
          <span>{trans.__('over')}</span>
          <SelectField
            bare
            label={trans.__('x axis')}
            value={x}
            options={options}
            onChange={to => setAxes({ ...axes, x: to })}
          />
          <SelectField
            bare
            label={trans.__('Colour')}
            value={color}
            options={[
              { value: '', label: trans.__('no colour') },
              ...options.map(option => ({ ...option, label: trans.__('by %1', option.label) }))
            ]}
            onChange={to => setAxes({ ...axes, color: to })}
          />
        </figcaption>
        <VegaPlot
          fill
          spec={scatter}
          label={trans.__('%1 over %2 of %3 runs', title(y), title(x), runs.rows.length)}
        />
      </figure>
      <ImportancePlot metric={partsOf(metric).key} ids={ids} kpis={kpis} />
    </div>
  );
}

function ImportancePlot(props: {
  metric: string;
  ids: readonly string[];
  kpis: readonly Kpi[];
}): JSX.Element {
  const { metric, ids } = props;
  const trans = useTrans();
  const importance = useResource(
    ['importance', metric, ...ids],
    [],
    (client, signal) =>
      client.post('/runs/importance', { body: { metric, run_ids: [...ids] }, signal }),
    { keep: true }
  );
  const { data } = importance;
  const spec = useMemo(
    () =>
      data === undefined
        ? undefined
        : importanceSpec(data.items, {
            importance: trans.__('importance'),
            correlation: trans.__('rank correlation')
          }),
    [data, trans]
  );
  return (
    <figure className="pj-Plots-plot">
      <figcaption>
        {trans.__('Which parameters %1 depends on', metric)}
        {data !== undefined && data.reason === '' && (
          <span className="pj-mod-quiet">
            {' '}
            {trans.__('%1, of %2 runs', data.method, count(data.runs))}
          </span>
        )}
      </figcaption>
      <Loaded resource={importance}>
        {found =>
          found.reason !== '' || found.items.length === 0 || spec === undefined ? (
            <Empty>{found.reason}</Empty>
          ) : (
            <VegaPlot
              fill
              spec={spec}
              label={found.items
                .slice(0, 5)
                .map(({ param, importance: share }) => `${param} ${Math.round(share * 100)} %`)
                .join(', ')}
            />
          )
        }
      </Loaded>
    </figure>
  );
}

/** Metrics with a target first, then what tells runs apart. */
function plottedColumns(columns: readonly RunColumn[], kpis: readonly Kpi[]): string[] {
  const telling = columns.filter(({ column, telling: tells }) => {
    const { kind, key } = partsOf(column);
    return tells && (kind === 'params' || (kind === 'metrics' && !isSystem(key)));
  });
  const rank = ({ column }: RunColumn): number =>
    kpiOf(partsOf(column).key, kpis) === undefined ? 1 : 0;
  return telling
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST_COLUMNS)
    .map(({ column }) => column);
}

function titleOf(column: string): string {
  return partsOf(column).key;
}
