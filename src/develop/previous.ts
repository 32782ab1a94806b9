import type { RunSummary } from '../api';

/** The newest of these runs that began before this one. */
export function previousOf(run: RunSummary, runs: readonly RunSummary[]): RunSummary | undefined {
  return runs
    .filter(other => other.run_id !== run.run_id && other.started < run.started)
    .sort((a, b) => b.started - a.started)[0];
}
