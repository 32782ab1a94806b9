import type { Series } from '../api';
import { toNumber } from './figures';

/** A series as a chart draws it. */
export interface IPath {
  x: number[];
  y: (number | null)[];
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
  const order = steps.map((_, index) => index);
  order.sort((a, b) => steps[a]! - steps[b]! || times[a]! - times[b]! || a - b);
  const path: IPath = { x: [], y: [], by: 'step' };
  for (const index of order) {
    if (path.x.at(-1) === steps[index]) {
      path.y[path.y.length - 1] = values[index]!;
    } else {
      path.x.push(steps[index]!);
      path.y.push(values[index]!);
    }
  }
  return path;
}

/** Whether there is a line to draw, and not one point. */
export function isCurve(series: Series): boolean {
  return series.steps.length > 1;
}
