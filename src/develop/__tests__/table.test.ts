import { describe, expect, it } from 'vitest';

import { bestOf, columnsOf, metricValue, paramValue } from '../table';
import { runOf } from './runs';

const NONE = new Map<string, 'maximize' | 'minimize'>();

describe('columnsOf', () => {
  it('puts common metrics first, and parameters that tell runs apart before those that do not', () => {
    const runs = [
      runOf({ params: { a: '1', lr: '0.1' }, metrics: { auc: 0.7 } }),
      runOf({ params: { a: '1', lr: '0.2' }, metrics: { auc: 0.8, loss: 1 } })
    ];
    expect(columnsOf(runs)).toEqual({ metrics: ['auc', 'loss'], params: ['lr', 'a'] });
  });
});

describe('bestOf', () => {
  it('knows which way is better from a target, and else from the name', () => {
    const runs = [
      runOf({ metrics: { auc: 0.7, val_loss: 2, cost: 5 } }),
      runOf({ metrics: { auc: 0.8, val_loss: 3, cost: 4 } })
    ];
    const best = bestOf(runs, new Map([['cost', 'minimize']]));
    expect(Object.fromEntries(best)).toEqual({ auc: 0.8, val_loss: 2, cost: 4 });
  });

  it('marks nothing where there is nothing to tell', () => {
    expect(bestOf([runOf({ metrics: { auc: 0.7 } })], NONE).size).toBe(0);
    const same = [runOf({ metrics: { auc: 0.7 } }), runOf({ metrics: { auc: 0.7 } })];
    expect(bestOf(same, NONE).size).toBe(0);
  });

  it('leaves out a model whose inputs give the answer away', () => {
    const verdict = { metric: 'auc', data: 'data:d@1', split: 'test', value: 0.99, target: 0.7 };
    const leaky = { ...verdict, direction: 'maximize', met: false, leaks: ['size'] } as const;
    const runs = [
      runOf({ metrics: { auc: 0.99 }, verdicts: [{ ...leaky, leaks: ['size'] }] }),
      runOf({ metrics: { auc: 0.7 } }),
      runOf({ metrics: { auc: 0.8 } })
    ];
    expect(bestOf(runs, NONE).get('auc')).toBe(0.8);
  });

  it('never finds NaN the best, and finds infinity so', () => {
    const runs = [
      runOf({ metrics: { auc: 'NaN', gain: 'Infinity' } }),
      runOf({ metrics: { auc: 0.1, gain: 2 } }),
      runOf({ metrics: { auc: 0.2 } })
    ];
    expect(Object.fromEntries(bestOf(runs, NONE))).toEqual({ auc: 0.2, gain: Infinity });
  });
});

describe('what columns are sorted by', () => {
  it('takes parameters as numbers where they are numbers', () => {
    const values = ['10', '1e-3', 'relu', ''].map(lr =>
      paramValue(runOf({ params: { lr } }), 'lr')
    );
    expect(values).toEqual([10, 0.001, 'relu', '']);
    expect(paramValue(runOf(), 'lr')).toBeNull();
  });

  it('takes infinity as more than all numbers, and NaN as itself', () => {
    expect(metricValue(runOf({ metrics: { loss: 'Infinity' } }), 'loss')).toBe(Infinity);
    expect(metricValue(runOf({ metrics: { loss: 'NaN' } }), 'loss')).toBeNaN();
    expect(metricValue(runOf(), 'loss')).toBeNull();
  });
});
