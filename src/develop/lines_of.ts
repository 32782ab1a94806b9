import type { Series } from '../api';
import type { ChartSeries } from '../kit/series';
import { pathOf, type IPath } from './paths';
import { smooth } from './smoothing';

/** What the x axis of the curves counts. */
export type XAxis = 'step' | 'time' | 'relative';

/** A run as its line in a chart needs it. */
export interface ChartedRun {
  run_id: string;
  name: string;
  started: number;
  color: string;
}

/** More lines than these are not shown unsmoothed behind themselves. */
const GHOSTS = 8;

interface Drawn {
  by: XAxis;
  smoothing: number;
  path: IPath;
  smoothed: (number | null)[] | null;
}

/** Of a series that is the same object, nothing is worked out twice. */
const DRAWN = new WeakMap<Series, Drawn>();

/** The lines of one metric, a run each, and what x counts: steps, or points where none were given. */
export function linesOf(
  runs: readonly ChartedRun[],
  series: (runId: string) => Series | undefined,
  by: XAxis,
  smoothing: number
): { lines: ChartSeries[]; counts: 'step' | 'point' } {
  const lines: ChartSeries[] = [];
  const ghosts: ChartSeries[] = [];
  let counts: 'step' | 'point' = 'point';
  for (const run of runs) {
    const one = series(run.run_id);
    if (one === undefined || one.steps.length === 0) {
      continue;
    }
    const { path, smoothed } = drawnOf(one, by, smoothing);
    counts = path.by === 'step' ? 'step' : counts;
    const x = by === 'relative' ? path.x.map(at => at - run.started) : path.x;
    const line = { key: run.run_id, label: run.name, color: run.color, x, y: smoothed ?? path.y };
    lines.push(line);
    if (smoothed !== null) {
      ghosts.push({ ...line, key: `${run.run_id} as logged`, y: path.y, faint: true });
    }
  }
  return { lines: lines.length > GHOSTS ? lines : [...ghosts, ...lines], counts };
}

function drawnOf(series: Series, by: XAxis, smoothing: number): Drawn {
  const known = DRAWN.get(series);
  const sameAxis = known !== undefined && (known.by === 'step') === (by === 'step');
  if (sameAxis && known.smoothing === smoothing) {
    return known;
  }
  const path = sameAxis ? known.path : by === 'step' ? pathOf(series) : timedPathOf(series);
  const { x, y } = path;
  const unit = x.length < 2 ? 0 : (x.at(-1)! - x[0]!) / Math.max(1, series.total - 1);
  const smoothed = smoothing > 0 && x.length > 2 ? smooth(x, y, smoothing, unit) : null;
  const made = { by, smoothing, path, smoothed };
  DRAWN.set(series, made);
  return made;
}

/** The points in the order of their times, for a clock may jump back. */
function timedPathOf(series: Series): IPath {
  const path = pathOf({ ...series, steps: series.times });
  return path.by === 'point' ? { ...path, x: [...series.times] } : path;
}
