import { describe, expect, it } from 'vitest';

import type { FeatureDrift as Drift, MonitorReport as Report } from '../../api';
import { english } from '../../api/english';
import { byDrift, driftWord, errorRate, health, histogramOf, lineOf, roundTop } from '../report';

const trans = english;

function drift(feature: string, state: Drift['state'], psi: number | null, rows = 100): Drift {
  return { feature, state, psi, rows, expected: [], observed: [], bins: [] };
}

function report(values: Partial<Report>): Report {
  return {
    endpoint: 'builds',
    revision: 1,
    model: 'model:builds@1',
    since: 0,
    requests: 0,
    errors: 0,
    p50: null,
    p95: null,
    p99: null,
    minutes: [],
    drift: [],
    drift_detail: '',
    kpis: [],
    findings: [],
    recent: [],
    ...values
  };
}

describe('drift', () => {
  it('is ordered by what matters, features without a figure last', () => {
    const order = byDrift([
      drift('few', 'too_few', null, 12),
      drift('still', 'stable', 0.01),
      drift('moved', 'moderate', 0.2),
      drift('gone', 'drifted', 3)
    ]);
    expect(order.map(item => item.feature)).toEqual(['gone', 'moved', 'still', 'few']);
  });

  it('says how many rows are missing rather than a figure', () => {
    expect(driftWord(drift('few', 'too_few', null, 12), trans)).toBe('too few rows (12 of 30)');
  });
});

describe('the histogram', () => {
  const bars = histogramOf(
    { bins: ['a', 'b'], expected: [0.5, 0.5], observed: [0.9, 0.1] },
    100,
    40
  );

  it('stands on the ground and reaches the share', () => {
    expect(bars.top).toBe(1);
    for (const { expectedBar, observedBar } of bars.bins) {
      expect(expectedBar.y + expectedBar.height).toBeCloseTo(40);
      expect(observedBar.y + observedBar.height).toBeCloseTo(40);
    }
    expect(bars.bins[0]!.observedBar.height).toBeCloseTo(36);
  });

  it('keeps each pair within its bin', () => {
    for (const { column, expectedBar, observedBar } of bars.bins) {
      expect(expectedBar.x).toBeGreaterThanOrEqual(column.x);
      expect(expectedBar.x + expectedBar.width).toBeCloseTo(observedBar.x);
      expect(observedBar.x + observedBar.width).toBeLessThanOrEqual(column.x + column.width);
    }
  });

  it('ends its axis at a number that a person reads', () => {
    expect([0, 0.05, 0.12, 0.21, 0.5, 0.51].map(roundTop)).toEqual([0.05, 0.05, 0.2, 0.25, 0.5, 1]);
  });

  it('of nothing is empty', () => {
    expect(histogramOf({ bins: [], expected: [], observed: [] }, 100, 40).bins).toEqual([]);
  });
});

describe('health', () => {
  it('has not started without requests', () => {
    expect(health(report({}))).toBe('not_started');
    expect(errorRate(report({}))).toBeNull();
  });

  it('is the worst of findings, drift and KPIs', () => {
    expect(health(report({ requests: 1 }))).toBe('ok');
    expect(health(report({ requests: 1, drift: [drift('x', 'moderate', 0.2)] }))).toBe('attention');
    const kpi = { metric: 'auc', value: 0.5, minimum: 0.7, outcomes: 9, detail: '' };
    expect(
      health(
        report({
          requests: 1,
          drift: [drift('x', 'moderate', 0.2)],
          kpis: [{ ...kpi, state: 'missed' }]
        })
      )
    ).toBe('failed');
  });

  it('takes a feature without a figure for neither good nor bad', () => {
    expect(health(report({ requests: 3, drift: [drift('x', 'too_few', null, 3)] }))).toBe('ok');
  });

  it('counts errors as a share', () => {
    expect(errorRate({ requests: 8, errors: 2 })).toBe(0.25);
  });
});

it('gives all charts one time axis, and no latency where nothing was asked', () => {
  const minutes = [
    { at: 60_000, requests: 2, errors: 1, p50: 1, p95: 2, p99: 3 },
    { at: 120_000, requests: 0, errors: 0, p50: null, p95: null, p99: null }
  ];
  expect(lineOf(minutes, 'requests')).toEqual({ x: [60_000, 120_000], y: [2, 0] });
  expect(lineOf(minutes, 'p95')).toEqual({ x: [60_000, 120_000], y: [2, null] });
});
