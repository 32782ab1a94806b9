import { describe, expect, it } from 'vitest';

import type { Endpoint, KpiVerdict } from '../../api';
import { english } from '../../api/english';
import { phaseOf, verdictsWord } from '../phase';
import { asksAnything } from '../schema';

function endpoint(values: Partial<Endpoint>): Endpoint {
  return { state: 'starting', revision: 0, wanted: 1, memory: null, ...values } as Endpoint;
}

describe('a deployment', () => {
  it('starts, loads and serves', () => {
    expect(phaseOf(endpoint({}))).toBe('starting');
    expect(phaseOf(endpoint({ memory: 1 }))).toBe('loading');
    expect(phaseOf(endpoint({ state: 'serving', revision: 1 }))).toBe('serving');
  });

  it('has failed when only the revision before it answers', () => {
    expect(phaseOf(endpoint({ state: 'degraded', revision: 1, wanted: 2 }))).toBe('failed');
    expect(phaseOf(endpoint({ state: 'degraded', revision: 2, wanted: 2 }))).toBe('serving');
  });

  it('is not done while the old revision still answers', () => {
    expect(phaseOf(endpoint({ state: 'serving', revision: 1, wanted: 2 }))).toBe('loading');
  });
});

describe('the verdicts of a model', () => {
  const verdict = (values: Partial<KpiVerdict>): KpiVerdict =>
    ({ metric: 'auc', met: true, leaks: [], ...values }) as KpiVerdict;

  it('are a word of a list', () => {
    expect(verdictsWord([], english)).toBe('not measured');
    expect(verdictsWord([verdict({})], english)).toBe('target met');
    expect(verdictsWord([verdict({ met: false })], english)).toBe('target missed');
    expect(verdictsWord([verdict({}), verdict({ met: false })], english)).toBe(
      '1 of 2 targets met'
    );
  });

  it('say first that a number was reached by a leak', () => {
    expect(verdictsWord([verdict({ leaks: ['size'] })], english)).toBe('leaks');
  });
});

describe("a target's schema", () => {
  it('asks only where it has properties, behind a reference too', () => {
    expect(asksAnything({ type: 'object', properties: {} })).toBe(false);
    expect(asksAnything({ properties: { port: { type: 'number' } } })).toBe(true);
    expect(asksAnything({ $ref: '#/$defs/S', $defs: { S: { properties: { a: {} } } } })).toBe(true);
    expect(asksAnything({ $ref: '#' })).toBe(false);
  });
});
