import type { Kpi, Trans } from '../api';
import { figure } from '../kit';

/** The sign between a value and its target. */
export function sign(kpi: Pick<Kpi, 'direction'>): string {
  return kpi.direction === 'maximize' ? '≥' : '≤';
}

/** A target in a few words: `roc_auc ≥ 0.75 on builds/test`. */
export function targetText(kpi: Kpi, trans: Trans): string {
  return trans.__(
    '%1 %2 %3 on %4/%5',
    kpi.metric,
    sign(kpi),
    figure(kpi.target),
    kpi.data,
    kpi.split
  );
}
