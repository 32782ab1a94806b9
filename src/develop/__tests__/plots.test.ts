import { describe, expect, it } from 'vitest';

import {
  isPlottable,
  isWide,
  parallelSpec,
  scatterSpec,
  valuesOf,
  type PlottedRuns
} from '../plots';

const RUNS: PlottedRuns = {
  columns: ['metrics.auc', 'params.lr', 'params.kind'],
  rows: [
    { run_id: 'a', name: 'one', values: [0.7, '1e-4', 'mlp'] },
    { run_id: 'b', name: '<b>two</b>', values: ['NaN', '0.1', 'hgb'] },
    { run_id: 'c', name: 'three', values: [0.9, null, 'mlp'] }
  ]
};

describe('the values of runs', () => {
  it('are numbers where all say one, and words otherwise', () => {
    expect(valuesOf(RUNS, 'params.lr')).toEqual([1e-4, 0.1, null]);
    expect(valuesOf(RUNS, 'params.kind')).toEqual(['mlp', 'hgb', 'mlp']);
    // NaN has no place on an axis.
    expect(valuesOf(RUNS, 'metrics.auc')).toEqual([0.7, null, 0.9]);
  });

  it('make an axis where they differ', () => {
    expect(isPlottable([1, 1, null])).toBe(false);
    expect(isPlottable(['a', 'b'])).toBe(true);
    expect(isPlottable(Array.from({ length: 40 }, (_, index) => `word ${index}`))).toBe(false);
    expect(isWide([1e-4, 0.1])).toBe(true);
    expect(isWide([0, 1000])).toBe(false);
  });
});

describe('the specifications', () => {
  it('leave out runs that lack a value, and load nothing', () => {
    const spec = scatterSpec(RUNS, { x: 'params.lr', y: 'metrics.auc', color: '' }, one => one);
    expect(JSON.stringify(spec)).toContain('"run":"one"');
    expect(JSON.stringify(spec)).not.toContain('three');
    expect(JSON.stringify(spec)).not.toContain('"url"');
  });

  it('put each value between the ends of its own axis', () => {
    const spec = parallelSpec(
      RUNS,
      ['params.lr', 'params.kind', 'metrics.auc'],
      column => column,
      String
    );
    const text = JSON.stringify(spec);
    expect(text).toContain('"axis":"params.lr","at":0,"value":"0.0001"');
    expect(text).toContain('"axis":"params.lr","at":1,"value":"0.1"');
    expect(text).toContain('"axis":"params.kind","at":0,"value":"hgb"');
  });
});
