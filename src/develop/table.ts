import type { RunSummary } from '../api';
import { directionOf, toNumber, verdictOf, type Direction } from './figures';

/**
 * The parameters and metrics that some run has.
 *
 * Metrics come first by how many runs have them. Parameters that tell runs apart come before
 * those that all runs share, which say nothing in a comparison.
 */
export function columnsOf(runs: readonly RunSummary[]): { metrics: string[]; params: string[] } {
  const metrics = new Map<string, number>();
  const params = new Map<string, { runs: number; values: Set<string> }>();
  for (const run of runs) {
    for (const key of Object.keys(run.metrics)) {
      metrics.set(key, (metrics.get(key) ?? 0) + 1);
    }
    for (const [key, value] of Object.entries(run.params)) {
      const found = params.get(key) ?? { runs: 0, values: new Set<string>() };
      found.runs += 1;
      found.values.add(value);
      params.set(key, found);
    }
  }
  const telling = (key: string): number => {
    const { runs: count, values } = params.get(key)!;
    return values.size > 1 || (count < runs.length && runs.length > 1) ? 0 : 1;
  };
  return {
    metrics: [...metrics.keys()].sort(
      (a, b) => metrics.get(b)! - metrics.get(a)! || a.localeCompare(b)
    ),
    params: [...params.keys()].sort(
      (a, b) =>
        telling(a) - telling(b) || params.get(b)!.runs - params.get(a)!.runs || a.localeCompare(b)
    )
  };
}

/**
 * The best value of each metric; none where fewer than two runs have it or all are equal, for
 * then there is nothing to tell. A model whose inputs give the answer away is best at nothing.
 */
export function bestOf(
  runs: readonly RunSummary[],
  known: ReadonlyMap<string, Direction>
): ReadonlyMap<string, number> {
  const values = new Map<string, number[]>();
  for (const run of runs.filter(one => verdictOf(one) !== 'leaks')) {
    for (const [key, value] of Object.entries(run.metrics)) {
      const figure = toNumber(value);
      if (!Number.isNaN(figure)) {
        values.set(key, [...(values.get(key) ?? []), figure]);
      }
    }
  }
  const best = new Map<string, number>();
  for (const [key, figures] of values) {
    if (new Set(figures).size > 1) {
      best.set(
        key,
        directionOf(key, known) === 'maximize' ? Math.max(...figures) : Math.min(...figures)
      );
    }
  }
  return best;
}

/** What a metric's column is sorted by; null where the run has no such number. */
export function metricValue(run: RunSummary, key: string): number | null {
  const value = run.metrics[key];
  return value === undefined ? null : toNumber(value);
}

/** What a parameter's column is sorted by: `1e-3` and `10` as the numbers that they are. */
export function paramValue(run: RunSummary, key: string): number | string | null {
  const text = run.params[key];
  if (text === undefined) {
    return null;
  }
  const figure = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(figure) ? text : figure;
}
