import { describe, expect, it } from 'vitest';

import { bestOf, columnsOf, NEWEST_FIRST, sortRuns } from '../table';
import { runOf, T0 } from './runs';

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

  it('never finds NaN the best, and finds infinity so', () => {
    const runs = [
      runOf({ metrics: { auc: 'NaN', gain: 'Infinity' } }),
      runOf({ metrics: { auc: 0.1, gain: 2 } }),
      runOf({ metrics: { auc: 0.2 } })
    ];
    expect(Object.fromEntries(bestOf(runs, NONE))).toEqual({ auc: 0.2, gain: Infinity });
  });
});

describe('sortRuns', () => {
  const names = (runs: { name: string }[]): string[] => runs.map(run => run.name);

  it('puts the newest first', () => {
    const runs = [runOf({ name: 'old' }), runOf({ name: 'new', started: T0 + 1 })];
    expect(names(sortRuns(runs, NEWEST_FIRST, T0))).toEqual(['new', 'old']);
  });

  it('sorts parameters as numbers where they are numbers', () => {
    const runs = ['10', '9', '1e-3'].map(lr => runOf({ name: lr, params: { lr } }));
    const sort = { column: { group: 'params', key: 'lr' }, descending: false } as const;
    expect(names(sortRuns(runs, sort, T0))).toEqual(['1e-3', '9', '10']);
  });

  it('keeps runs without the value last, either way round', () => {
    const runs = [
      runOf({ name: 'none' }),
      runOf({ name: 'nan', metrics: { auc: 'NaN' } }),
      runOf({ name: 'low', metrics: { auc: 0.1 } }),
      runOf({ name: 'high', metrics: { auc: 0.9 } })
    ];
    const column = { group: 'metrics', key: 'auc' } as const;
    expect(names(sortRuns(runs, { column, descending: true }, T0))).toEqual([
      'high',
      'low',
      'none',
      'nan'
    ]);
    expect(names(sortRuns(runs, { column, descending: false }, T0))).toEqual([
      'low',
      'high',
      'none',
      'nan'
    ]);
  });

  it('counts a running run until now', () => {
    const runs = [
      runOf({ name: 'three minutes' }),
      runOf({ name: 'running', state: 'running', ended: null })
    ];
    const column = { group: 'run', key: 'duration' } as const;
    expect(names(sortRuns(runs, { column, descending: true }, T0 + 1000))[0]).toBe('three minutes');
    expect(names(sortRuns(runs, { column, descending: true }, T0 + 1e6))[0]).toBe('running');
  });
});
