import { describe, expect, it } from 'vitest';

import { watched } from '../live';
import { runOf } from './runs';

describe('which runs are watched', () => {
  it('begins with the charted ones, for not all of many can be', () => {
    const runs = ['a', 'b', 'c', 'd'].map(id =>
      runOf({ run_id: id, state: id === 'b' ? 'finished' : 'running' })
    );
    expect(watched(runs, new Set(['d', 'b']))).toEqual(['d', 'a', 'c']);
  });
});
