import type { Kpi, RunSummary, WireNumber } from '../api';

export type Direction = Kpi['direction'];

/** A metric's number; NaN and the infinities travel as words. */
export function toNumber(value: WireNumber): number {
  return Number(value);
}

/**
 * Which way a metric gets better: as a target or the server says, else by its name, which is
 * good enough to mark a cell of a table and for nothing else.
 */
export function directionOf(metric: string, known: ReadonlyMap<string, Direction>): Direction {
  const declared = known.get(metric) ?? known.get(metric.split('/').at(-1)!);
  if (declared) {
    return declared;
  }
  return /(loss|err(or)?|rmse|mse|mae|mape|perplexity|brier|seconds|latency)\b|_ms$/i.test(
    metric.replace(/[-_./]/g, ' ')
  )
    ? 'minimize'
    : 'maximize';
}

/** How far a value is from its target: positive when it falls short, 0 or less when it is met. */
export function shortBy(value: number, target: number, direction: Direction): number {
  return direction === 'maximize' ? target - value : value - target;
}

/** Milliseconds that a run will still take, from the share that is done; null when not known. */
export function timeLeft(run: RunSummary, now: number): number | null {
  const done = run.progress;
  const elapsed = now - run.started;
  if (run.state !== 'running' || done === null || done <= 0.01 || elapsed < 1000) {
    return null;
  }
  return Math.max(0, (elapsed * (1 - Math.min(done, 1))) / done);
}

/** Milliseconds that a run took, or takes until now. */
export function duration(run: RunSummary, now: number): number {
  return Math.max(0, (run.ended ?? now) - run.started);
}

/** Whether the targets of a run are met: all, not all, or nothing that counts was measured. */
export function verdictOf(run: RunSummary): 'met' | 'missed' | 'leaks' | 'unmeasured' {
  if (run.verdicts.length === 0) {
    return 'unmeasured';
  }
  if (run.verdicts.some(verdict => verdict.leaks.length > 0)) {
    return 'leaks';
  }
  return run.verdicts.every(verdict => verdict.met) ? 'met' : 'missed';
}
