import { memo, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import type { Kpi } from '../../api';
import { Chart, type Zoom } from '../../kit/chart';
import { duration } from '../../kit/format';
import { useInView } from '../../kit/in_view';
import { useTrans, useVisible } from '../../kit/services';
import type { CurveStore } from '../curve_store';
import { linesOf, type ChartedRun, type XAxis } from '../lines_of';
import { kpiOf } from '../target';

export interface MetricChartProps {
  store: CurveStore;
  metric: string;
  /** What stands above it; the metric's name when left out. */
  title?: string;
  runs: readonly ChartedRun[];
  kpis: readonly Kpi[];
  by: XAxis;
  smoothing: number;
  log: boolean;
  height: number;
  sync: string;
  zoom: Zoom | undefined;
  onZoom: (zoom: Zoom | undefined) => void;
  lit: string | undefined;
  onLit: (run: string | undefined) => void;
}

/** The curves of one metric, asked for when the chart comes into view. */
export const MetricChart = memo((props: MetricChartProps): JSX.Element | null => {
  const { store, metric, runs, kpis, by, smoothing } = props;
  const trans = useTrans();
  const visible = useVisible();
  const frame = useRef<HTMLDivElement>(null);
  const inView = useInView(frame, '200px');
  const wanted = visible && inView;
  const subscribe = useCallback(
    (notice: () => void) => store.subscribe(metric, notice),
    [store, metric]
  );
  const version = useSyncExternalStore(subscribe, () => store.version(metric));
  useEffect(() => (wanted ? store.want(metric) : undefined), [store, metric, wanted]);

  const { lines, counts } = useMemo(
    () => linesOf(runs, run => store.series(metric, run), by, smoothing),
    // The version stands for what is in the store.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [runs, store, metric, by, smoothing, version]
  );
  const kpi = kpiOf(metric, kpis);
  const target = useMemo(
    () =>
      kpi === undefined
        ? undefined
        : { value: kpi.target, label: trans.__('target %1', kpi.target) },
    [kpi, trans]
  );
  return (
    <div className="pj-MetricChart" ref={frame} data-metric={metric}>
      <Chart
        title={props.title ?? metric}
        series={lines}
        height={props.height}
        log={props.log}
        sync={`${props.sync} ${by}`}
        time={by === 'time'}
        zoom={props.zoom}
        onZoom={props.onZoom}
        lit={props.lit}
        onLit={props.onLit}
        {...(target === undefined ? {} : { target })}
        {...(by === 'step' && { xLabel: counts === 'step' ? trans.__('step') : trans.__('point') })}
        {...(by === 'relative' && { xLabel: trans.__('since the start'), formatX: duration })}
      />
    </div>
  );
});
