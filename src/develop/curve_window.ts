import type { Series } from '../api';

/** A part of the curves that is looked at more closely. */
export interface CurveWindow {
  by: 'step' | 'time';
  /** For each run, for the same span of a run's own time lies elsewhere for each. */
  of: (runId: string) => readonly [number, number];
}

/** The whole with what is known more closely of a part of it; what came since stays at its end. */
export function inserted(whole: Series, close: Series, by: 'step' | 'time', start: number): Series {
  const at = by === 'step' ? whole.steps : whole.times;
  const known = by === 'step' ? close.steps : close.times;
  const last = known.at(-1) ?? -Infinity;
  const before: number[] = [];
  const after: number[] = [];
  at.forEach((x, index) => {
    if (x < start) {
      before.push(index);
    } else if (x > last) {
      after.push(index);
    }
  });
  const joined = <T>(of: (series: Series) => readonly T[]): T[] => [
    ...before.map(index => of(whole)[index]!),
    ...of(close),
    ...after.map(index => of(whole)[index]!)
  ];
  return {
    ...whole,
    steps: joined(series => series.steps),
    values: joined(series => series.values),
    times: joined(series => series.times)
  };
}
