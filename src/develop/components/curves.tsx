import { useMemo } from 'react';

import type { Kpi, RunSummary, Series } from '../../api';
import { Chart, type ChartSeries } from '../../kit/chart';
import { colorOf } from '../../kit/palette';
import { useTrans } from '../../kit/services';
import type { Curves } from '../curves';
import { isCurve, pathOf } from '../paths';
import { kpiOf } from '../target';

export interface CurvesProps {
  runs: readonly RunSummary[];
  curves: ReadonlyMap<string, Curves>;
  kpis: readonly Kpi[];
  /** Height of a chart in pixels. */
  height?: number;
  /** Charts of the same name share their cursor. */
  sync?: string;
}

/** A chart a metric, a line a run. Metrics with one value a run have no curve. */
export function RunCurves(props: CurvesProps): JSX.Element | null {
  const { runs, curves, kpis, height = 180, sync } = props;
  const trans = useTrans();
  const charts = useMemo(() => chartsOf(runs, curves, kpis), [runs, curves, kpis]);
  if (charts.length === 0) {
    return null;
  }
  return (
    <div className="pj-Curves">
      {charts.map(({ metric, lines, by }) => {
        const kpi = kpiOf(metric, kpis);
        return (
          <Chart
            key={metric}
            title={metric}
            series={lines}
            xLabel={by === 'step' ? trans.__('step') : trans.__('point')}
            height={height}
            {...(sync === undefined ? {} : { sync })}
            {...(kpi === undefined
              ? {}
              : { target: { value: kpi.target, label: trans.__('target %1', kpi.target) } })}
          />
        );
      })}
    </div>
  );
}

interface IChart {
  metric: string;
  lines: ChartSeries[];
  by: 'step' | 'point';
}

/** Charts in the order of use: targets first, then what most of the runs have. */
function chartsOf(
  runs: readonly RunSummary[],
  curves: ReadonlyMap<string, Curves>,
  kpis: readonly Kpi[]
): IChart[] {
  const found = new Map<string, { run: RunSummary; series: Series }[]>();
  for (const run of runs) {
    for (const [metric, series] of curves.get(run.run_id) ?? []) {
      if (series.steps.length > 0) {
        found.set(metric, [...(found.get(metric) ?? []), { run, series }]);
      }
    }
  }
  const rank = (metric: string): number => (kpiOf(metric, kpis) === undefined ? 1 : 0);
  return [...found]
    .filter(([, lines]) => lines.some(({ series }) => isCurve(series)))
    .sort(
      ([a, of], [b, than]) => rank(a) - rank(b) || than.length - of.length || a.localeCompare(b)
    )
    .map(([metric, lines]) => {
      const paths = lines.map(({ run, series }) => ({ run, path: pathOf(series) }));
      return {
        metric,
        by: paths.some(({ path }) => path.by === 'step') ? 'step' : 'point',
        lines: paths.map(({ run, path }) => ({
          key: run.run_id,
          label: run.name,
          color: colorOf(run.run_id),
          x: path.x,
          y: path.y
        }))
      };
    });
}
