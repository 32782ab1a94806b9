import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import type { Kpi } from '../../api';
import type { Zoom } from '../../kit/chart';
import { Button } from '../../kit/button';
import { Empty, ErrorView, Skeleton } from '../../kit/feedback';
import { count } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';
import { groupMetrics, type CurveLook, type MetricGroup } from '../curve_look';
import { CurveStore } from '../curve_store';
import type { ChartedRun } from '../lines_of';
import { usePoints } from '../live';
import { kpiOf } from '../target';
import { CurveControls } from './curve_controls';
import { MetricChart, type MetricChartProps } from './metric_chart';

export interface CurvePanelProps {
  /** At most 50; those that still log are `live`. */
  runs: readonly (ChartedRun & { live: boolean })[];
  /** The metrics that these runs have. */
  metrics: readonly string[];
  /** Whether that is not known yet, and how many runs were chosen beyond what can be shown. */
  loading?: boolean;
  more?: number;
  kpis: readonly Kpi[];
  look: CurveLook;
  onLook: (change: Partial<CurveLook>) => void;
  lit: string | undefined;
  onLit: (run: string | undefined) => void;
  /** Charts of the same name share their cursor. */
  sync: string;
}

/** So many charts of a group are there before somebody asks for more. */
const SHOWN = 24;

/** The curves of some runs: a chart a metric, grouped by what stands before the slash. */
export function CurvePanel(props: CurvePanelProps): JSX.Element {
  const { runs, metrics, kpis, look, onLook, loading = false, more = 0 } = props;
  const { client } = useServices();
  const trans = useTrans();
  const store = useMemo(
    () => new CurveStore((body, signal) => client.post('/runs/curves', { body, signal })),
    [client]
  );
  useEffect(() => () => store.dispose(), [store]);
  const shape = useSyncExternalStore(store.subscribeShape, () => store.shape);
  const [zoom, setZoom] = useState<Zoom>();

  useEffect(() => {
    store.show(new Map(runs.map(run => [run.run_id, run.live])));
  }, [store, runs]);
  usePoints(
    runs.filter(run => run.live).map(run => run.run_id),
    event => store.receive(event)
  );
  useEffect(() => {
    const starts = new Map(runs.map(run => [run.run_id, run.started]));
    store.zoom(
      zoom === undefined
        ? null
        : {
            by: look.by === 'step' ? 'step' : 'time',
            of: run => {
              const shift = look.by === 'relative' ? (starts.get(run) ?? 0) : 0;
              return [zoom[0] + shift, zoom[1] + shift];
            }
          }
    );
  }, [store, zoom, look.by, runs]);
  // Another axis counts something else: a part of the one is no part of the other.
  useEffect(() => setZoom(undefined), [look.by]);

  useEffect(() => {
    const needle = look.find.trim().toLowerCase();
    store.probe(metrics.filter(metric => metric.toLowerCase().includes(needle)));
    // The shape tells that other runs are shown, or that more is known.
  }, [store, metrics, look.find, shape]);
  const { groups, once, unknown } = useMemo(() => {
    const all = [...new Set([...metrics, ...store.live])];
    return {
      groups: groupMetrics(
        all.filter(metric => store.isCurve(metric) === true),
        look.find,
        metric => kpiOf(metric, kpis) !== undefined
      ),
      once: all.filter(metric => store.isCurve(metric) === false).sort(),
      unknown: all.some(metric => store.isCurve(metric) === undefined)
    };
    // The shape stands for what is in the store.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [metrics, store, look.find, kpis, shape]);
  const waiting = loading || unknown;

  const { onLit, lit, sync } = props;
  const shared = useMemo(
    () => ({
      store,
      runs,
      kpis,
      by: look.by,
      smoothing: look.smoothing,
      log: look.log,
      height: 180,
      sync,
      zoom,
      onZoom: setZoom,
      lit,
      onLit
    }),
    [store, runs, kpis, look.by, look.smoothing, look.log, sync, zoom, lit, onLit]
  );
  const fold = useCallback(
    (prefix: string, folded: boolean) => onLook({ folded: { ...look.folded, [prefix]: folded } }),
    [onLook, look.folded]
  );
  return (
    <div className="pj-CurvePanel">
      <CurveControls
        look={look}
        onLook={onLook}
        zoomed={zoom !== undefined}
        onZoomOut={() => setZoom(undefined)}
      />
      <div className="pj-CurvePanel-charts">
        {store.error !== undefined && <ErrorView error={store.error} retry={store.retry} compact />}
        {groups.map(group => (
          <ChartGroup
            key={group.prefix}
            group={group}
            alone={groups.length === 1}
            folded={
              look.folded[group.prefix] ?? (group.prefix === 'system' && look.find.trim() === '')
            }
            onFold={folded => fold(group.prefix, folded)}
            shared={shared}
          />
        ))}
        {more > 0 && !waiting && (
          <p className="pj-mod-quiet">
            {trans.__('The curves of the first %1 chosen runs.', count(runs.length))}
          </p>
        )}
        {groups.length === 0 && waiting && <Skeleton lines={6} />}
        {groups.length === 0 && !waiting && <NoCurves once={once} look={look} runs={runs.length} />}
        {groups.length > 0 && once.length > 0 && (
          <p className="pj-mod-quiet" title={once.join(', ')}>
            {trans._n(
              '%2 metric was logged once, and has no curve.',
              '%2 metrics were logged once, and have no curve.',
              once.length,
              count(once.length)
            )}
          </p>
        )}
      </div>
    </div>
  );
}

type Shared = Omit<MetricChartProps, 'metric' | 'title'>;

function ChartGroup(props: {
  group: MetricGroup;
  alone: boolean;
  folded: boolean;
  onFold: (folded: boolean) => void;
  shared: Shared;
}): JSX.Element {
  const { group, alone, folded, onFold, shared } = props;
  const { prefix, metrics } = group;
  const trans = useTrans();
  const [most, setMost] = useState(SHOWN);
  const title = prefix === '' ? trans.__('Metrics') : prefix;
  const open = !folded || (alone && prefix === '');
  return (
    <section className="pj-ChartGroup" aria-label={title}>
      {(!alone || prefix !== '') && (
        <button
          type="button"
          className="pj-ChartGroup-title"
          aria-expanded={open}
          onClick={() => onFold(open)}
        >
          <span aria-hidden="true">{open ? '▾' : '▸'}</span>
          <span className="pj-Ellipsis">{title}</span>
          <span className="pj-Tabs-count">{count(metrics.length)}</span>
        </button>
      )}
      {open && (
        <div className="pj-Curves">
          {metrics.slice(0, most).map(metric => (
            <MetricChart
              key={metric}
              {...shared}
              metric={metric}
              title={prefix === '' ? metric : metric.slice(prefix.length + 1)}
            />
          ))}
        </div>
      )}
      {open && metrics.length > most && (
        <Button onClick={() => setMost(most + SHOWN)}>
          {trans.__('Show more of %1', count(metrics.length - most))}
        </Button>
      )}
    </section>
  );
}

function NoCurves(props: { once: readonly string[]; look: CurveLook; runs: number }): JSX.Element {
  const { once, look, runs } = props;
  const trans = useTrans();
  return (
    <Empty>
      {runs === 0
        ? trans.__('Choose runs in the table to see their curves here.')
        : look.find.trim() !== ''
          ? trans.__('No metric of these runs that has a curve is called %1.', look.find.trim())
          : once.length > 0
            ? trans.__(
                'These runs logged each metric once, so there is no curve. pj.log(step=…, loss=…) in the training loop makes one.'
              )
            : trans.__('These runs have logged no metric.')}
    </Empty>
  );
}
