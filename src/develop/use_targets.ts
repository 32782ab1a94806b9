import { useMemo } from 'react';

import type { Kpi } from '../api';
import { useResource } from '../kit/resource';
import { directionOf, type Direction } from './figures';

const NO_KPIS: readonly Kpi[] = [];

/** The targets, and which way each metric gets better. */
export function useTargets(): {
  kpis: readonly Kpi[];
  directions: ReadonlyMap<string, Direction>;
} {
  const project = useResource(['project'], ['problem'], (client, signal) =>
    client.get('/project', { signal })
  );
  const metrics = useResource(['metrics'], [], (client, signal) =>
    client.get('/metrics', { signal })
  );
  const kpis = project.data?.kpis ?? NO_KPIS;
  const directions = useMemo(() => {
    const known = new Map<string, Direction>();
    metrics.data?.items.forEach(metric => known.set(metric.name, metric.direction));
    kpis.forEach(kpi => known.set(kpi.metric, kpi.direction));
    return known;
  }, [metrics.data, kpis]);
  return { kpis, directions };
}

/** Whether the largest of a column comes first: what is best, what is newest. */
export function fallsFirst(
  column: string,
  columns: readonly { column: string; kind: string }[],
  directions: ReadonlyMap<string, Direction>
): boolean {
  if (column.startsWith('metrics.')) {
    return directionOf(column.slice('metrics.'.length), directions) === 'maximize';
  }
  return (
    column !== 'attributes.run_name' && columns.find(one => one.column === column)?.kind !== 'text'
  );
}
