import type { Kpi, RunSummary } from '../api';
import { refText } from '../api/refs';
import { shortBy, toNumber, type Direction } from './figures';

/** A number of a run beside its target. */
export interface ITarget {
  metric: string;
  /** The dataset and split that the target is about. */
  on: string;
  value: number;
  target: number;
  direction: Direction;
  /** How much is missing; 0 or less when the target is met, NaN when the value is none. */
  short: number;
  /** True when Perijove measured it; a number that the code logged decides nothing. */
  measured: boolean;
  /** The model's inputs that tell the answer; with any, the value decides nothing. */
  leaks: readonly string[];
}

/** All measured numbers of a run beside their targets, the missed ones first. */
export function targetsOf(run: RunSummary): ITarget[] {
  return run.verdicts
    .map(verdict => {
      const direction = verdict.direction;
      const value = toNumber(verdict.value);
      return {
        metric: verdict.metric,
        on: `${refText(verdict.data)} ${verdict.split}`,
        value,
        target: verdict.target,
        direction,
        short: shortBy(value, verdict.target, direction),
        measured: true,
        leaks: verdict.leaks
      };
    })
    .sort((a, b) => Number(isMet(a)) - Number(isMet(b)));
}

/**
 * The one target that a card shows: a measured one, else a logged metric that has the name of a
 * target.
 */
export function mainTarget(run: RunSummary, kpis: readonly Kpi[]): ITarget | null {
  const [measured] = targetsOf(run);
  if (measured) {
    return measured;
  }
  for (const kpi of kpis) {
    const key = Object.keys(run.metrics).find(metric => isAbout(metric, kpi));
    if (key !== undefined) {
      const value = toNumber(run.metrics[key]!);
      return {
        metric: key,
        on: '',
        value,
        target: kpi.target,
        direction: kpi.direction,
        short: shortBy(value, kpi.target, kpi.direction),
        measured: false,
        leaks: []
      };
    }
  }
  return null;
}

export function isMet(target: ITarget): boolean {
  return target.short <= 0 && target.leaks.length === 0;
}

/** The target that a metric has, if any. */
export function kpiOf(metric: string, kpis: readonly Kpi[]): Kpi | undefined {
  return kpis.find(kpi => isAbout(metric, kpi));
}

/** `roc_auc`, `valid/roc_auc`, and `test_roc_auc` as an evaluation on the split logs it. */
function isAbout(metric: string, kpi: Kpi): boolean {
  const name = metric.split('/').at(-1);
  return name === kpi.metric || name === `${kpi.split}_${kpi.metric}`;
}
