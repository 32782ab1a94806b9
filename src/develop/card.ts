import type { Kpi, ProjectSummary, RunCard } from '../api';
import type { Curves } from './curves';
import { isCurve } from './paths';
import { kpiOf } from './target';

/** What the output of a training cell holds: the three words of a `RunCard`. */
export const RUN_MIME_TYPE = 'application/vnd.perijove.run+json';

/**
 * The metric whose curve a card shows: that of a target, else the first loss, else the one with
 * the most points.
 */
export function cardMetric(curves: Curves, kpis: readonly Kpi[]): string | undefined {
  const keys = [...curves.values()].filter(isCurve).map(series => series.key);
  return (
    keys.find(key => kpiOf(key, kpis) !== undefined) ??
    keys.find(key => /loss/i.test(key)) ??
    keys.sort((a, b) => curves.get(b)!.total - curves.get(a)!.total)[0]
  );
}

/**
 * The projects that an absolute folder may be, the likeliest first. The server's root is not
 * known here, so a project is told by how its folder ends.
 */
export function projectsOf(folder: string, list: readonly ProjectSummary[]): string[] {
  const normal = folder.replace(/\/+$/, '');
  return list
    .map(({ path }) => path)
    .filter(path => path === '' || normal.endsWith('/' + path))
    .sort((a, b) => b.length - a.length);
}

/** Read what a cell put out, which anybody may have written. */
export function readPayload(data: unknown): RunCard | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  const { project, run_id: runId, name } = data as Record<string, unknown>;
  return typeof project === 'string' && typeof runId === 'string' && typeof name === 'string'
    ? { project, run_id: runId, name }
    : null;
}

/** The data versions among the inputs of a run; a split says no more than its data. */
export function dataOf(inputs: readonly string[]): string[] {
  return inputs.filter(ref => ref.startsWith('data:'));
}
