import type { Points, RunSummary, Series } from '../api';

/** At most this many points of a series are kept; the server sends no more either. */
export const MAX_POINTS = 700;

/** The curves of one run, by metric. */
export type Curves = ReadonlyMap<string, Series>;

export function curvesOf(series: readonly Series[]): Curves {
  return new Map(series.map(one => [one.key, one]));
}

/**
 * Add the points of an event.
 *
 * A series that has grown too long is thinned to every second point, its last one kept: the next
 * answer of the server has the down-sampled whole.
 */
export function extend(curves: Curves, event: Pick<Points, 'series' | 'reset'>): Curves {
  if (event.reset) {
    return new Map([...curves, ...curvesOf(event.series)]);
  }
  const next = new Map(curves);
  for (const added of event.series) {
    const old = next.get(added.key);
    next.set(added.key, old ? joined(old, added) : added);
  }
  return next;
}

/** The summary with the newest values and progress that the event brought. */
export function advanced(run: RunSummary, event: Points): RunSummary {
  const metrics = { ...run.metrics };
  for (const series of event.series) {
    const last = series.values.at(-1);
    if (last !== undefined) {
      metrics[series.key] = last;
    }
  }
  return { ...run, metrics, progress: event.progress ?? run.progress };
}

function joined(old: Series, added: Series): Series {
  // After a reconnection the same points may come twice.
  const lastTime = old.times.at(-1) ?? -Infinity;
  const lastStep = old.steps.at(-1) ?? -Infinity;
  const from = added.times.findIndex(
    (time, index) => time > lastTime || (time === lastTime && added.steps[index]! > lastStep)
  );
  if (from < 0) {
    return old;
  }
  const series: Series = {
    key: old.key,
    steps: [...old.steps, ...added.steps.slice(from)],
    values: [...old.values, ...added.values.slice(from)],
    times: [...old.times, ...added.times.slice(from)],
    total: old.total + added.times.length - from
  };
  return series.steps.length > 2 * MAX_POINTS ? thinned(series) : series;
}

function thinned(series: Series): Series {
  const last = series.steps.length - 1;
  const kept = <T>(values: T[]): T[] =>
    values.filter((_, index) => index % 2 === 0 || index === last);
  return {
    ...series,
    steps: kept(series.steps),
    values: kept(series.values),
    times: kept(series.times)
  };
}
