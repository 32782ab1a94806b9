import type { Step, Trans } from '../../api';

/** What a step is called. */
export function stepName(step: Step, trans: Trans): string {
  switch (step) {
    case 'problem':
      return trans.__('Problem');
    case 'data':
      return trans.__('Data');
    case 'develop':
      return trans.__('Develop');
    case 'deploy':
      return trans.__('Deploy');
    case 'monitor':
      return trans.__('Monitor');
    case 'operate':
      return trans.__('Operate');
  }
}
