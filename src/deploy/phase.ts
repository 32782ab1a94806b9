/** How far a deployment is. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Endpoint, KpiVerdict, State } from '../api';

export type Phase = 'starting' | 'loading' | 'serving' | 'failed' | 'stopped';

/** The phases that a deployment goes through, in order. */
export const PHASES = ['starting', 'loading', 'serving'] as const satisfies readonly Phase[];

export function phaseOf(endpoint: Endpoint): Phase {
  switch (endpoint.state) {
    case 'failed':
    case 'stopped':
      return endpoint.state;
    case 'serving':
    case 'degraded':
      if (endpoint.revision === endpoint.wanted) {
        return 'serving';
      }
      // The new revision gave up, and the one before it still answers.
      return endpoint.state === 'degraded' ? 'failed' : 'loading';
    case 'starting':
      // A process takes memory from its first moment; then it imports and loads.
      return endpoint.memory === null ? 'starting' : 'loading';
  }
}

export function phaseWord(phase: Phase, trans: TranslationBundle): string {
  switch (phase) {
    case 'starting':
      return trans.__('Start the process');
    case 'loading':
      return trans.__('Load the model');
    case 'serving':
      return trans.__('Serve');
    case 'failed':
      return trans.__('Failed');
    case 'stopped':
      return trans.__('Stopped');
  }
}

export function endpointState(state: Endpoint['state']): State {
  switch (state) {
    case 'starting':
      return 'running';
    case 'serving':
      return 'ok';
    case 'degraded':
      return 'attention';
    case 'failed':
      return 'failed';
    case 'stopped':
      return 'not_started';
  }
}

export function endpointWord(state: Endpoint['state'], trans: TranslationBundle): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'serving':
      return trans.__('serving');
    case 'degraded':
      return trans.__('degraded');
    case 'failed':
      return trans.__('failed');
    case 'stopped':
      return trans.__('stopped');
  }
}

/** All targets of a model in two words, for an option of a list. */
export function verdictsWord(verdicts: readonly KpiVerdict[], trans: TranslationBundle): string {
  if (verdicts.length === 0) {
    return trans.__('not measured');
  }
  if (verdicts.some(verdict => verdict.leaks.length > 0)) {
    return trans.__('leaks');
  }
  const met = verdicts.filter(verdict => verdict.met).length;
  if (verdicts.length > 1) {
    return trans.__('%1 of %2 targets met', met, verdicts.length);
  }
  return met === 1 ? trans.__('target met') : trans.__('target missed');
}
