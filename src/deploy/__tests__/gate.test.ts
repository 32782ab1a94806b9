import { describe, expect, it } from 'vitest';

import type { Gate, GateCheck } from '../../api';
import { english } from '../../api/english';
import { blocking, inReadingOrder, nameProblem, verdict } from '../gate';

const trans = english;

function gateOf(...states: GateCheck['state'][]): Gate {
  const checks = states.map((state, index): GateCheck => {
    return { id: `c${index}`, step: 'data', title: '', state, detail: '', items: [], fix: '' };
  });
  return { model: 'model:m@1', passed: states.every(state => state === 'pass'), checks };
}

describe('the gate', () => {
  it('is blocked by what fails and by what is unknown', () => {
    const gate = gateOf('pass', 'unknown', 'fail');
    expect(blocking(gate).map(check => check.id)).toEqual(['c1', 'c2']);
    expect(inReadingOrder(gate).map(check => check.id)).toEqual(['c1', 'c2', 'c0']);
  });

  it.each([
    [['pass', 'pass'], 'All 2 checks pass'],
    [['fail', 'pass'], '1 of 2 checks fails'],
    [['fail', 'fail', 'pass'], '2 of 3 checks fail'],
    [['unknown', 'pass'], '1 of 2 checks is unknown'],
    [['fail', 'unknown', 'pass'], '1 of 3 checks fail, 1 unknown']
  ] as const)('of %j reads %s', (states, words) => {
    expect(verdict(gateOf(...states), trans)).toBe(words);
  });
});

describe("an endpoint's name", () => {
  it.each(['builds', '9lives', 'a.b_c-d', 'x'.repeat(63)])('may be %s', name => {
    expect(nameProblem(name, trans)).toBeUndefined();
  });

  it.each(['', '-x', '.x', 'a b', 'a/b', 'ä', 'x'.repeat(64)])('may not be %j', name => {
    expect(nameProblem(name, trans)).toBeTruthy();
  });
});
