import type { Dataset, ViewSpec } from '../api';
import { filterOfAll, type ColumnKind, type Condition, type SortKey } from '../kit/conditions';
import { isNumeric } from './types';

/** How somebody looks at a dataset's rows. */
export interface ViewState {
  conditions: readonly Condition[];
  /** Whether one condition is enough; all must hold otherwise. */
  any: boolean;
  sort: readonly SortKey[];
  hidden: readonly string[];
}

export const PLAIN: ViewState = { conditions: [], any: false, sort: [], hidden: [] };

type Column = Dataset['facts']['columns'][number];

/** What kind of values a DuckDB type has. */
export function kindOf(type: string): ColumnKind {
  if (isNumeric(type)) {
    return 'number';
  }
  if (type === 'BOOLEAN') {
    return 'truth';
  }
  if (/^(DATE|TIME)/.test(type) && !type.endsWith(']')) {
    return 'time';
  }
  return /^(VARCHAR|ENUM|UUID)(?!.*\]$)/.test(type) ? 'text' : 'other';
}

/** The view as it is asked of the server. */
export function specOf(state: ViewState, version: number, columns: readonly Column[]): ViewSpec {
  const hidden = new Set(state.hidden);
  return {
    version,
    filter: filterOfAll(state.conditions, state.any),
    sort: state.sort.map(key => ({ ...key })),
    columns: hidden.size === 0 ? [] : columns.map(c => c.name).filter(column => !hidden.has(column))
  };
}

/** Whether the rows are the version's own, in its own order. */
export function isPlain(state: ViewState): boolean {
  return state.conditions.length === 0 && state.sort.length === 0;
}

/** Read `0-63,100`-like positions as the server does: neighbours are written as ranges. */
export function writePositions(positions: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < positions.length;) {
    let end = start;
    while (positions[end + 1] === positions[end]! + 1) {
      end++;
    }
    parts.push(start === end ? `${positions[start]}` : `${positions[start]}-${positions[end]}`);
    start = end + 1;
  }
  return parts.join(',');
}
