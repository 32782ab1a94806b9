import type { ChartSeries } from './series';

/** The index of the point whose x is nearest; -1 where there is none. */
export function nearestIndex(x: readonly number[], at: number): number {
  let low = 0;
  let high = x.length - 1;
  if (high < 0) {
    return -1;
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && at - x[low - 1]! <= x[low]! - at ? low - 1 : low;
}

/** The least and the greatest x of all lines; null where nothing is drawn. */
export function xEnds(series: readonly ChartSeries[]): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { x } of series) {
    if (x.length > 0) {
      low = Math.min(low, x[0]!);
      high = Math.max(high, x[x.length - 1]!);
    }
  }
  return low <= high ? [low, high] : null;
}

/** The least and the greatest value between two x; null where there is none. */
export function yEnds(
  series: readonly ChartSeries[],
  from: number,
  to: number,
  positive: boolean
): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { x, y } of series) {
    for (let index = firstFrom(x, from); index < x.length && x[index]! <= to; index += 1) {
      const value = y[index];
      if (value != null && Number.isFinite(value) && (!positive || value > 0)) {
        low = value < low ? value : low;
        high = value > high ? value : high;
      }
    }
  }
  return low <= high ? [low, high] : null;
}

/** The first index whose x is not before this one. */
export function firstFrom(x: readonly number[], from: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** The index of the last point that has a value; -1 where none has. */
export function lastIndex(series: ChartSeries, to = Infinity): number {
  for (let index = series.y.length - 1; index >= 0; index -= 1) {
    const value = series.y[index];
    if (value != null && Number.isFinite(value) && series.x[index]! <= to) {
      return index;
    }
  }
  return -1;
}

export interface Reading {
  series: ChartSeries;
  color: string;
  value: number | null;
  /** Where the point is that was read. */
  x: number;
}

/**
 * What each line says at a place of the x axis, the largest first.
 *
 * @param slack - How far the nearest point of a line may be.
 */
export function readAt(
  series: readonly ChartSeries[],
  colors: readonly string[],
  at: number,
  slack: number
): Reading[] {
  const found: Reading[] = [];
  series.forEach((one, index) => {
    if (one.faint === true) {
      return;
    }
    const nearest = nearestIndex(one.x, at);
    const x = one.x[nearest] ?? NaN;
    const inside = Math.abs(x - at) <= slack || (nearest > 0 && nearest < one.x.length - 1);
    const value = inside ? (one.y[nearest] ?? null) : null;
    found.push({
      series: one,
      color: colors[index] ?? '',
      value: value !== null && Number.isFinite(value) ? value : null,
      x
    });
  });
  return found.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
}
