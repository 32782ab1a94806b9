import type { XAxis } from './lines_of';
import { isRecord } from './look';

/** How somebody looks at the curves. It is kept with the page. */
export type CurveLook = {
  by: XAxis;
  /** In [0, 1): how much of the old is kept from one point to the next. */
  smoothing: number;
  log: boolean;
  /** What the names of metrics hold. */
  find: string;
  /** Groups that were folded or opened by hand. */
  folded: Record<string, boolean>;
};

export const PLAIN_CURVES: CurveLook = {
  by: 'step',
  smoothing: 0,
  log: false,
  find: '',
  folded: {}
};

export function readCurveLook(kept: unknown): CurveLook | undefined {
  if (!isRecord(kept)) {
    return undefined;
  }
  const { by, smoothing, log, find, folded } = kept;
  return {
    by: by === 'time' || by === 'relative' ? by : 'step',
    smoothing: typeof smoothing === 'number' && smoothing >= 0 && smoothing < 1 ? smoothing : 0,
    log: log === true,
    find: typeof find === 'string' ? find : '',
    folded: isRecord(folded)
      ? Object.fromEntries(
          Object.entries(folded).filter(
            (entry): entry is [string, boolean] => typeof entry[1] === 'boolean'
          )
        )
      : {}
  };
}

export interface MetricGroup {
  /** What stands before the slash; empty for those without one. */
  prefix: string;
  metrics: string[];
}

/**
 * Metrics by what stands before their first slash: those without one first, the machine's last.
 *
 * @param first - Metrics that come first in their group, such as those with a target.
 */
export function groupMetrics(
  metrics: Iterable<string>,
  find: string,
  first: (metric: string) => boolean
): MetricGroup[] {
  const needle = find.trim().toLowerCase();
  const groups = new Map<string, string[]>();
  for (const metric of metrics) {
    if (metric.toLowerCase().includes(needle)) {
      const slash = metric.indexOf('/');
      const prefix = slash < 0 ? '' : metric.slice(0, slash);
      groups.set(prefix, [...(groups.get(prefix) ?? []), metric]);
    }
  }
  const rank = (prefix: string): number => (prefix === '' ? 0 : prefix === 'system' ? 2 : 1);
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([prefix, found]) => ({
      prefix,
      metrics: found.sort(
        (a, b) => Number(first(b)) - Number(first(a)) || a.localeCompare(b, undefined, NUMERIC)
      )
    }));
}

const NUMERIC = { numeric: true } as const;
