import type { Series } from '../api';
import { toNumber } from './figures';

/** A series as a chart draws it. */
export interface IPath {
  x: readonly number[];
  y: readonly (number | null)[];
  /** What x counts. */
  by: 'step' | 'point';
}

/**
 * The points in the order of their steps; of two points at one step the later counts. Where all
 * points have the same step, because the code gave none, they are counted instead.
 */
export function pathOf(series: Series): IPath {
  const { steps, times } = series;
  const values = series.values.map(value => {
    const figure = toNumber(value);
    return Number.isFinite(figure) ? figure : null;
  });
  const [first] = steps;
  if (steps.length > 1 && steps.every(step => step === first)) {
    return { x: steps.map((_, index) => index), y: values, by: 'point' };
  }
  if (steps.every((step, index) => index === 0 || step > steps[index - 1]!)) {
    return { x: steps, y: values, by: 'step' };
  }
  const order = steps.map((_, index) => index);
  order.sort((a, b) => steps[a]! - steps[b]! || times[a]! - times[b]! || a - b);
  const x: number[] = [];
  const y: (number | null)[] = [];
  for (const index of order) {
    if (x.at(-1) === steps[index]) {
      y[y.length - 1] = values[index]!;
    } else {
      x.push(steps[index]!);
      y.push(values[index]!);
    }
  }
  return { x, y, by: 'step' };
}

/** Whether there is a line to draw, and not one point. */
export function isCurve(series: Series): boolean {
  return series.steps.length > 1;
}
