import type { Step } from '../../api';

/** What a step is called. */
export function stepName(step: Step, trans: { __: (text: string) => string }): string {
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
