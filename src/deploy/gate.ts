/** The gate, read for a person: what blocks, and what a button may say. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Gate, GateCheck } from '../api';

/** Checks that do not pass; what is unknown does not. */
export function blocking(gate: Gate): GateCheck[] {
  return gate.checks.filter(check => check.state !== 'pass');
}

/** Blocking checks first, each group in the order of the steps. */
export function inReadingOrder(gate: Gate): GateCheck[] {
  return [...blocking(gate), ...gate.checks.filter(check => check.state === 'pass')];
}

/** One line over the checklist. */
export function verdict(gate: Gate, trans: TranslationBundle): string {
  const closed = blocking(gate);
  if (closed.length === 0) {
    return trans._n('The one check passes', 'All %1 checks pass', gate.checks.length);
  }
  const failed = closed.filter(check => check.state === 'fail').length;
  const unknown = closed.length - failed;
  if (unknown === 0) {
    return trans._n('%1 of %2 checks fails', '%1 of %2 checks fail', failed, gate.checks.length);
  }
  if (failed === 0) {
    return trans._n(
      '%1 of %2 checks is unknown',
      '%1 of %2 checks are unknown',
      unknown,
      gate.checks.length
    );
  }
  return trans.__('%1 of %2 checks fail, %3 unknown', failed, gate.checks.length, unknown);
}

/** Endpoint names are datasets' and models' names: they become file names and paths of URLs. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** Why a name cannot be an endpoint's; undefined when it can. */
export function nameProblem(name: string, trans: TranslationBundle): string | undefined {
  if (name === '') {
    return trans.__('Give the endpoint a name.');
  }
  if (name.length > 63) {
    return trans.__('At most 63 characters.');
  }
  if (!/^[A-Za-z0-9]/.test(name)) {
    return trans.__('Begin with a letter or a digit.');
  }
  return NAME.test(name) ? undefined : trans.__('Letters, digits, “_”, “.” and “-” only.');
}
