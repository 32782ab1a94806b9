import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { CurveSet, Request } from '../../api';
import { CurveStore } from '../curve_store';
import { seriesOf, T0 } from './runs';

const ASKED: Request<'CurvesRequest'>[] = [];

/** Each run has a curve of what is asked for, but `once` of one point. */
function fetch(request: Request<'CurvesRequest'>): Promise<CurveSet> {
  ASKED.push(request);
  const { run_ids: runs, keys = [], points = 700, start } = request;
  return Promise.resolve({
    items: runs.map(run_id => ({
      run_id,
      series: keys.map(key => {
        const values = key === 'once' ? [1] : Array.from({ length: Math.min(points, 5) }, () => 1);
        const series = seriesOf(key, values, start ?? 0);
        return { ...series, total: key === 'once' ? 1 : 100 };
      })
    }))
  });
}

function storeOf(): { store: CurveStore; frames: (() => void)[] } {
  const frames: (() => void)[] = [];
  return { store: new CurveStore(fetch, act => frames.push(act)), frames };
}

const settle = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(50);
};

beforeEach(() => {
  vi.useFakeTimers();
  ASKED.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

describe('CurveStore', () => {
  it('asks once for what several charts want', async () => {
    const { store } = storeOf();
    store.show(
      new Map([
        ['a', false],
        ['b', false]
      ])
    );
    store.want('loss');
    store.want('auc');
    await settle();
    expect(ASKED).toEqual([{ run_ids: ['a', 'b'], keys: ['loss', 'auc'] }]);
    store.show(
      new Map([
        ['a', false],
        ['c', false]
      ])
    );
    await settle();
    expect(ASKED.at(-1)).toEqual({ run_ids: ['c'], keys: ['loss', 'auc'] });
    expect(store.series('loss', 'c')?.steps).toHaveLength(5);
  });

  it('finds out which metrics are curves by two points of some runs', async () => {
    const { store } = storeOf();
    store.show(new Map([['a', false]]));
    expect(store.isCurve('loss')).toBeUndefined();
    store.probe(['loss', 'once']);
    await settle();
    expect(ASKED).toEqual([{ run_ids: ['a'], keys: ['loss', 'once'], points: 2 }]);
    expect([store.isCurve('loss'), store.isCurve('once')]).toEqual([true, false]);
  });

  it('adds new points, and tells one chart a frame', async () => {
    const { store, frames } = storeOf();
    store.show(new Map([['a', true]]));
    store.want('loss');
    store.want('auc');
    await settle();
    frames.splice(0).forEach(act => act());
    frames.splice(0).forEach(act => act());
    const told: string[] = [];
    store.subscribe('loss', () => told.push('loss'));
    store.subscribe('auc', () => told.push('auc'));
    store.receive({
      run_id: 'a',
      reset: false,
      series: [seriesOf('loss', [2, 3], 5), seriesOf('auc', [4], 5)]
    });
    expect(told).toEqual([]);
    frames.shift()!();
    expect(told).toEqual(['loss']);
    frames.shift()!();
    expect(told).toEqual(['loss', 'auc']);
    expect(store.series('loss', 'a')?.values).toEqual([1, 1, 1, 1, 1, 2, 3]);
  });

  it('begins no curve in its middle', async () => {
    const { store } = storeOf();
    store.show(new Map([['a', true]]));
    store.receive({ run_id: 'a', reset: false, series: [seriesOf('loss', [2], 90)] });
    expect(store.series('loss', 'a')).toBeUndefined();
    expect(store.live).toEqual(['loss']);
    store.want('loss');
    await settle();
    expect(store.series('loss', 'a')?.steps).toEqual([0, 1, 2, 3, 4]);
  });

  it('asks for a part that is looked at closely, and puts it into the whole', async () => {
    const { store } = storeOf();
    store.show(new Map([['a', false]]));
    store.want('loss');
    await settle();
    store.zoom({ by: 'step', of: () => [1, 3] });
    await settle();
    expect(ASKED.at(-1)).toEqual({
      run_ids: ['a'],
      keys: ['loss'],
      by: 'step',
      start: 1,
      end: 3
    });
    // What was known before the part, then the part; the server's points go on from its start.
    expect(store.series('loss', 'a')?.steps).toEqual([0, 1, 2, 3, 4, 5]);
    store.zoom(null);
    expect(store.series('loss', 'a')?.steps).toEqual([0, 1, 2, 3, 4]);
  });

  it('asks for each run in its own time where that is what x counts', async () => {
    const { store } = storeOf();
    store.show(
      new Map([
        ['a', false],
        ['b', false]
      ])
    );
    store.want('loss');
    await settle();
    ASKED.length = 0;
    store.zoom({ by: 'time', of: run => [T0 + (run === 'a' ? 0 : 500), T0 + 2000] });
    await settle();
    expect(ASKED.map(({ run_ids: runs, start }) => [runs, start])).toEqual([
      [['a'], T0],
      [['b'], T0 + 500]
    ]);
  });

  it('gets a run that ended once more, and tells why a curve cannot be had', async () => {
    let down = false;
    const store = new CurveStore(request =>
      down ? Promise.reject(new Error('gone')) : fetch(request)
    );
    store.show(new Map([['a', true]]));
    store.want('loss');
    await settle();
    down = true;
    store.show(new Map([['a', false]]));
    await settle();
    expect(store.error?.message).toContain('gone');
    expect(store.series('loss', 'a')?.steps).toHaveLength(5);
    down = false;
    store.retry();
    await settle();
    expect(ASKED).toHaveLength(2);
    expect(store.error).toBeUndefined();
    store.dispose();
  });
});
