import { describe, expect, it } from 'vitest';

import { advanced, curvesOf, extend, MAX_POINTS } from '../curves';
import { runOf, seriesOf } from './runs';

describe('extend', () => {
  const start = curvesOf([seriesOf('loss', [3, 2])]);

  it('adds points behind those that are there, and new metrics', () => {
    const series = [seriesOf('loss', [1], 2), seriesOf('auc', [0.5])];
    const curves = extend(start, { series, reset: false });
    expect(curves.get('loss')!.values).toEqual([3, 2, 1]);
    expect(curves.get('loss')!.total).toBe(3);
    expect(curves.get('auc')!.values).toEqual([0.5]);
    expect(start.get('loss')!.values).toEqual([3, 2]);
  });

  it('takes points that come twice once', () => {
    const again = { series: [seriesOf('loss', [2, 1], 1)], reset: false };
    const curves = extend(extend(start, again), again);
    expect(curves.get('loss')!.values).toEqual([3, 2, 1]);
  });

  it('begins anew when the series are whole', () => {
    const curves = extend(start, { series: [seriesOf('loss', [9])], reset: true });
    expect(curves.get('loss')!.values).toEqual([9]);
  });

  it('stays small, and keeps the newest point', () => {
    let curves = start;
    for (let step = 2; step < 5 * MAX_POINTS; step++) {
      curves = extend(curves, { series: [seriesOf('loss', [step], step)], reset: false });
    }
    const loss = curves.get('loss')!;
    expect(loss.steps.length).toBeLessThanOrEqual(2 * MAX_POINTS);
    expect(loss.values.at(-1)).toBe(5 * MAX_POINTS - 1);
    expect(loss.total).toBe(5 * MAX_POINTS);
  });
});

describe('advanced', () => {
  it('takes the newest value and the progress from an event', () => {
    const run = advanced(runOf({ metrics: { loss: 3 }, progress: 0.1 }), {
      type: 'points',
      project: '',
      run_id: 'a1',
      reset: false,
      progress: 0.2,
      series: [seriesOf('loss', [2, 1])]
    });
    expect(run.metrics).toEqual({ loss: 1 });
    expect(run.progress).toBe(0.2);
  });
});
