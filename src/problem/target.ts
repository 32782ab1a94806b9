import type { Kpi } from '../api';
import { figure } from '../kit';

/** The sign between a value and its target. */
export function sign(kpi: Pick<Kpi, 'direction'>): string {
  return kpi.direction === 'maximize' ? '≥' : '≤';
}

/** A target in a few words: `roc_auc ≥ 0.75 on builds/test`. */
export function targetText(kpi: Kpi): string {
  return `${kpi.metric} ${sign(kpi)} ${figure(kpi.target)} on ${kpi.data}/${kpi.split}`;
}
