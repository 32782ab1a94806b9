import type { RunSummary, Series } from '../../api';

export const T0 = Date.parse('2025-03-01T09:00:00Z');

export function runOf(values: Partial<RunSummary> = {}): RunSummary {
  return {
    run_id: 'a1',
    name: 'hgb-1',
    state: 'finished',
    started: T0,
    ended: T0 + 182_000,
    notebook: 'walk.ipynb',
    params: {},
    metrics: {},
    verdicts: [],
    models: [],
    progress: null,
    tracked_by: 'perijove',
    starred: false,
    job: '',
    proved: null,
    ...values
  };
}

export function seriesOf(key: string, values: number[], from = 0): Series {
  return {
    key,
    values,
    steps: values.map((_, index) => from + index),
    times: values.map((_, index) => T0 + (from + index) * 1000),
    total: values.length
  };
}
