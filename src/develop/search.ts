import type { SearchReport } from '../api';
import { toNumber } from '../kit/format';

interface Line {
  x: number[];
  y: (number | null)[];
}

/** A search over its trials: the value of each, and the best one so far. */
export function historyOf(search: SearchReport): { trials: Line; best: Line } {
  const trials: Line = { x: [], y: [] };
  const best: Line = { x: [], y: [] };
  let found = 0;
  for (const trial of [...search.trials].sort((a, b) => a.number - b.number)) {
    if (trial.state !== 'finished') {
      continue;
    }
    trials.x.push(trial.number);
    trials.y.push(drawn(trial.value));
    best.x.push(trial.number);
    best.y.push(drawn(search.history[found] ?? null));
    found += 1;
  }
  return { trials, best };
}

/** What is no finite number has no place on an axis. */
function drawn(value: SearchReport['history'][number] | null): number | null {
  const number = toNumber(value);
  return number !== null && Number.isFinite(number) ? number : null;
}
