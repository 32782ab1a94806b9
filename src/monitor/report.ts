/** A monitor report, read for a person: the worst of it, and series for the charts. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { FeatureDrift, MinutePoint, MonitorReport, State } from '../api';

/** From here on a feature has moved, where so few rows do not explain it; the server judges that. */
export const PSI_MODERATE = 0.1;
export const PSI_DRIFTED = 0.25;
/** Where the bar of the index ends; what lies above is at its end. */
export const PSI_FULL = 0.5;
/** Rows below which no index is given. */
export const ENOUGH_ROWS = 30;

const RANK: Record<FeatureDrift['state'], number> = {
  drifted: 3,
  moderate: 2,
  stable: 1,
  too_few: 0
};

/** Most drifted first; features without a figure last. */
export function byDrift(drift: readonly FeatureDrift[]): FeatureDrift[] {
  return [...drift].sort(
    (a, b) =>
      RANK[b.state] - RANK[a.state] ||
      (b.psi ?? -1) - (a.psi ?? -1) ||
      a.feature.localeCompare(b.feature)
  );
}

export function driftState(state: FeatureDrift['state']): State {
  switch (state) {
    case 'stable':
      return 'ok';
    case 'moderate':
      return 'attention';
    case 'drifted':
      return 'failed';
    case 'too_few':
      return 'not_started';
  }
}

export function driftWord(drift: FeatureDrift, trans: TranslationBundle): string {
  switch (drift.state) {
    case 'stable':
      return trans.__('stable');
    case 'moderate':
      return trans.__('moderate');
    case 'drifted':
      return trans.__('drifted');
    case 'too_few':
      return trans.__('too few rows (%1 of %2)', drift.rows, ENOUGH_ROWS);
  }
}

/** Share of answers that were errors, in [0, 1]; null before the first request. */
export function errorRate(report: Pick<MonitorReport, 'requests' | 'errors'>): number | null {
  return report.requests === 0 ? null : report.errors / report.requests;
}

/** The worst of what a report says: its findings, its drift, its KPIs, its errors. */
export function health(report: MonitorReport): State {
  const states: State[] = [
    ...report.findings.map((finding): State =>
      finding.severity === 'failed' ? 'failed' : 'attention'
    ),
    ...report.drift.map(drift => driftState(drift.state)),
    ...report.kpis.map((kpi): State =>
      kpi.state === 'missed' ? 'failed' : kpi.state === 'met' ? 'ok' : 'not_started'
    )
  ];
  for (const state of ['failed', 'attention'] as const) {
    if (states.includes(state)) {
      return state;
    }
  }
  return report.requests > 0 ? 'ok' : 'not_started';
}

/** What one chart of the report shows, by minute. */
export type Measure = 'requests' | 'errors' | 'p50' | 'p95' | 'p99';

export interface Line {
  /** Milliseconds since the epoch. */
  x: number[];
  y: (number | null)[];
}

/** A column of the minutes; all columns have one time axis. */
export function lineOf(minutes: readonly MinutePoint[], measure: Measure): Line {
  return { x: minutes.map(minute => minute.at), y: minutes.map(minute => minute[measure]) };
}

export interface Bar {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface BinBars {
  label: string;
  expected: number;
  observed: number;
  /** The bin's whole column, for what hover asks about. */
  column: Bar;
  expectedBar: Bar;
  observedBar: Bar;
}

export interface Histogram {
  bins: BinBars[];
  /** The share at the top of the axis, in (0, 1]. */
  top: number;
}

/** A share that a person reads at the top of the axis: 5, 10, 20, 25, 50 or 100 %. */
export function roundTop(share: number): number {
  return [0.05, 0.1, 0.2, 0.25, 0.5, 1].find(top => share <= top + 1e-9) ?? 1;
}

/** Place a pair of bars for each bin within a plot of that size. */
export function histogramOf(
  drift: Pick<FeatureDrift, 'bins' | 'expected' | 'observed'>,
  width: number,
  height: number
): Histogram {
  const { bins, expected, observed } = drift;
  const top = roundTop(Math.max(0, ...expected, ...observed));
  const step = bins.length === 0 ? 0 : width / bins.length;
  const gap = Math.min(4, step * 0.15);
  const bar = Math.max(0.5, (step - gap) / 2);
  const place = (x: number, share: number): Bar => {
    const tall = (share / top) * height;
    return { x, y: height - tall, width: bar, height: tall };
  };
  return {
    top,
    bins: bins.map((label, index) => {
      const x = index * step + gap / 2;
      const share = { expected: expected[index] ?? 0, observed: observed[index] ?? 0 };
      return {
        label,
        ...share,
        column: { x: index * step, y: 0, width: step, height },
        expectedBar: place(x, share.expected),
        observedBar: place(x + bar, share.observed)
      };
    })
  };
}
