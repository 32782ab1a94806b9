import { useMemo } from 'react';

import type { RunColumn } from '../api';
import { colorOf } from '../kit/palette';
import { useResource } from '../kit/resource';
import type { ChartedRun } from './lines_of';
import type { TableSnapshot } from './pages';

/** Curves of more runs are not shown at once. */
export const MOST_CHARTED = 50;
/** So many runs are charted before somebody chooses. */
const PREVIEWED = 3;
/** More metrics than these are found by their name. */
const MOST_METRICS = 400;

export interface Charted {
  runs: (ChartedRun & { live: boolean })[];
  /** The metrics that one of them has. */
  metrics: string[];
  loading: boolean;
}

/** Until somebody chooses: what runs now, and the first of the table. */
export function previewOf(table: TableSnapshot): string[] {
  const running: string[] = [];
  const others: string[] = [];
  for (let index = 0; index < Math.min(table.lines, 40); index += 1) {
    const line = table.line(index);
    if (line?.kind === 'group') {
      others.push(...line.group.run_ids.slice(0, 1));
    } else if (line !== undefined) {
      (line.row.state === 'running' ? running : others).push(line.row.run_id);
    }
  }
  return [...new Set([...running, ...others])].slice(0, PREVIEWED);
}

/** What the curves have to know of the runs that they are of, and which metrics those have. */
export function useCharted(
  ids: readonly string[],
  columns: readonly RunColumn[],
  find: string,
  deleted: boolean
): Charted {
  const needle = find.trim().toLowerCase();
  const names = useMemo(() => {
    const metrics = columns
      .map(({ column }) => column)
      .filter(column => column.startsWith('metrics.'));
    return (
      metrics.length <= MOST_METRICS
        ? metrics
        : metrics.filter(column => column.toLowerCase().includes(needle))
    ).slice(0, MOST_METRICS);
  }, [columns, needle]);
  const wanted = useMemo(() => [...ids].slice(0, MOST_CHARTED), [ids]);
  const answer = useResource(
    ['charted', deleted, wanted.join(), names.join('\n')],
    ['develop'],
    (client, signal) =>
      client.post('/runs/table', {
        body: {
          filter: { type: 'one_of', column: 'attributes.run_id', values: wanted },
          columns: names,
          view: deleted ? 'deleted' : 'active',
          limit: MOST_CHARTED
        },
        signal
      }),
    { enabled: wanted.length > 0, keep: true }
  );
  const { data } = answer;
  const told = JSON.stringify(
    (data?.rows ?? []).map(row => [row.run_id, row.name, row.started, row.state === 'running'])
  );
  const runs = useMemo(() => {
    const rows = new Map(
      (JSON.parse(told) as [string, string, number, boolean][]).map(row => [row[0], row])
    );
    return wanted.flatMap(id => {
      const row = rows.get(id);
      return row === undefined
        ? []
        : [{ run_id: id, name: row[1], started: row[2], color: colorOf(id), live: row[3] }];
    });
  }, [told, wanted]);
  const has = JSON.stringify(
    names.filter((_, index) => data?.rows.some(row => row.values[index] != null) === true)
  );
  const metrics = useMemo(
    () => (JSON.parse(has) as string[]).map(column => column.slice('metrics.'.length)),
    [has]
  );
  return { runs, metrics, loading: answer.loading };
}
