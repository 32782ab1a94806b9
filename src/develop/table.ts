import type { RunSummary } from '../api';
import { directionOf, duration, toNumber, verdictOf, type Direction } from './figures';

/** A column of the runs table: what every run has, a parameter, or a metric. */
export type RunColumn =
  | { group: 'run'; key: 'name' | 'started' | 'duration' | 'kpi' }
  | { group: 'params'; key: string }
  | { group: 'metrics'; key: string };

export interface ISort {
  column: RunColumn;
  descending: boolean;
}

export const NEWEST_FIRST: ISort = {
  column: { group: 'run', key: 'started' },
  descending: true
};

export function columnId(column: RunColumn): string {
  return `${column.group}:${column.key}`;
}

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
 * then there is nothing to tell.
 */
export function bestOf(
  runs: readonly RunSummary[],
  known: ReadonlyMap<string, Direction>
): ReadonlyMap<string, number> {
  const values = new Map<string, number[]>();
  for (const run of runs) {
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

/** Runs in the order of a column; a run that has no such value is last in either direction. */
export function sortRuns(runs: readonly RunSummary[], sort: ISort, now: number): RunSummary[] {
  const keyed = runs.map((run, index) => ({ run, index, value: valueOf(run, sort.column, now) }));
  const sign = sort.descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) {
      return Number(a.value === null) - Number(b.value === null) || a.index - b.index;
    }
    return sign * compare(a.value, b.value) || a.index - b.index;
  });
  return keyed.map(({ run }) => run);
}

function valueOf(run: RunSummary, column: RunColumn, now: number): number | string | null {
  if (column.group === 'params') {
    return run.params[column.key] ?? null;
  }
  if (column.group === 'metrics') {
    const value = run.metrics[column.key];
    const figure = value === undefined ? Number.NaN : toNumber(value);
    return Number.isNaN(figure) ? null : figure;
  }
  switch (column.key) {
    case 'name':
      return run.name;
    case 'started':
      return run.started;
    case 'duration':
      return duration(run, now);
    case 'kpi': {
      const verdict = verdictOf(run);
      return verdict === 'unmeasured' ? null : verdict === 'met' ? 1 : 0;
    }
  }
}

function compare(a: number | string, b: number | string): number {
  const [x, y] = [asFigure(a), asFigure(b)];
  if (x !== null && y !== null) {
    return x === y ? 0 : x < y ? -1 : 1;
  }
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** Parameters are texts: `0.1` and `1e-3` sort as the numbers that they are. */
function asFigure(value: number | string): number | null {
  if (typeof value === 'number') {
    return value;
  }
  const figure = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isNaN(figure) ? null : figure;
}
