import { describe, expect, it } from 'vitest';

import type { Kpi, KpiVerdict } from '../../api';
import { directionOf, timeLeft, verdictOf } from '../figures';
import { isMet, mainTarget, targetsOf } from '../target';
import { runOf, T0 } from './runs';

const KPI: Kpi = {
  metric: 'roc_auc',
  data: 'builds',
  target: 0.75,
  split: 'test',
  direction: 'maximize',
  minimum: 0.7
};

const VERDICT: KpiVerdict = {
  metric: 'roc_auc',
  data: 'data:builds@1',
  split: 'test',
  value: 0.8,
  target: 0.75,
  direction: 'maximize',
  met: true,
  leaks: []
};

describe('directionOf', () => {
  it.each(['val_loss', 'rmse', 'test/mean_absolute_error', 'brier_score', 'latency_ms'])(
    '%s is better when it is less',
    metric => {
      expect(directionOf(metric, new Map())).toBe('minimize');
    }
  );
  it.each(['roc_auc', 'accuracy', 'closseness'])('%s is better when it is more', metric => {
    expect(directionOf(metric, new Map())).toBe('maximize');
  });
});

describe('targets of a run', () => {
  it('come from what was measured, the missed ones first', () => {
    const run = runOf({
      metrics: { roc_auc: 0.99 },
      verdicts: [
        { ...VERDICT, split: 'validation', value: 0.8, met: true },
        { ...VERDICT, value: 0.71, met: false }
      ]
    });
    const [first, second] = targetsOf(run);
    expect(first!.value).toBe(0.71);
    expect(first!.short).toBeCloseTo(0.04);
    expect(isMet(first!)).toBe(false);
    expect(isMet(second!)).toBe(true);
    expect(mainTarget(run, [KPI])).toEqual(first);
    expect(verdictOf(run)).toBe('missed');
  });

  it('a logged number of the same name is shown as not measured', () => {
    const run = runOf({ metrics: { 'test/roc_auc': 0.99 } });
    expect(mainTarget(run, [KPI])).toMatchObject({ measured: false, metric: 'test/roc_auc' });
    expect(verdictOf(run)).toBe('unmeasured');
  });

  it('a value that is none meets nothing', () => {
    const run = runOf({ verdicts: [{ ...VERDICT, value: 'NaN', met: false }] });
    expect(isMet(mainTarget(run, [KPI])!)).toBe(false);
  });

  it('a value that leaks meets nothing, however good it is', () => {
    const run = runOf({
      verdicts: [{ ...VERDICT, value: 0.99, met: false, leaks: ['size'] }]
    });
    expect(isMet(mainTarget(run, [KPI])!)).toBe(false);
    expect(verdictOf(run)).toBe('leaks');
  });

  it('an error must get smaller', () => {
    const run = runOf({
      verdicts: [{ ...VERDICT, metric: 'rmse', direction: 'minimize', target: 2, value: 1.5 }]
    });
    expect(mainTarget(run, [])!.direction).toBe('minimize');
    expect(isMet(mainTarget(run, [])!)).toBe(true);
  });
});

describe('timeLeft', () => {
  const running = runOf({ state: 'running', ended: null });

  it('follows from the share that is done', () => {
    expect(timeLeft({ ...running, progress: 0.25 }, T0 + 10_000)).toBe(30_000);
  });

  it('is not known at the start, without progress, and at the end', () => {
    expect(timeLeft({ ...running, progress: 0 }, T0 + 10_000)).toBeNull();
    expect(timeLeft(running, T0 + 10_000)).toBeNull();
    expect(timeLeft(runOf({ progress: 0.5 }), T0 + 10_000)).toBeNull();
  });
});
