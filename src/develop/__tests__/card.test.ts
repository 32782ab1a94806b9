import { describe, expect, it } from 'vitest';

import { cardMetric, projectsOf } from '../card';
import { curvesOf } from '../curves';
import { pathOf } from '../paths';
import { seriesOf, T0 } from './runs';

const KPI = {
  metric: 'roc_auc',
  data: 'builds',
  target: 0.75,
  split: 'test',
  direction: 'maximize',
  minimum: null
} as const;

describe('the curve of a card', () => {
  const curves = curvesOf([
    seriesOf('time', [1, 2, 3, 4]),
    seriesOf('train_loss', [2, 1]),
    seriesOf('valid/roc_auc', [0.5, 0.6]),
    seriesOf('once', [1])
  ]);

  it('is that of a target where there is one', () => {
    expect(cardMetric(curves, [KPI])).toBe('valid/roc_auc');
  });

  it('is else a loss, else the longest', () => {
    expect(cardMetric(curves, [])).toBe('train_loss');
    const rest = new Map(curves);
    rest.delete('train_loss');
    expect(cardMetric(rest, [])).toBe('time');
  });

  it('is none where each metric has one value', () => {
    expect(cardMetric(curvesOf([seriesOf('once', [1])]), [])).toBeUndefined();
  });
});

describe('the project of a card', () => {
  const list = ['', 'b', 'a/b', 'c'].map(path => ({ path, name: path }));

  it('is told by the end of its folder, the longest first', () => {
    expect(projectsOf('/home/x/a/b/', list)).toEqual(['a/b', 'b', '']);
    expect(projectsOf('/home/x/ab', list)).toEqual(['']);
  });
});

describe('pathOf', () => {
  it('orders points by step, and takes the later of two', () => {
    const series = { ...seriesOf('m', [3, 1, 9, 2]), steps: [2, 0, 0, 1] };
    expect(pathOf(series)).toEqual({ x: [0, 1, 2], y: [9, 2, 3], by: 'step' });
  });

  it('counts points that have no step of their own', () => {
    const series = { ...seriesOf('m', [3, 1]), steps: [0, 0], times: [T0, T0 + 1] };
    expect(pathOf(series)).toEqual({ x: [0, 1], y: [3, 1], by: 'point' });
  });

  it('breaks the line where a value is none', () => {
    const series = { ...seriesOf('m', [1, 2]), values: [1, 'NaN' as const] };
    expect(pathOf(series).y).toEqual([1, null]);
  });
});
