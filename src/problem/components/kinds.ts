import type { NodeKind } from '../../api';

/** What a kind of node is called. */
export function kindName(kind: NodeKind, trans: { __: (text: string) => string }): string {
  switch (kind) {
    case 'kpi':
      return trans.__('target');
    case 'signoff':
      return trans.__('sign-off');
    case 'data':
      return trans.__('data');
    case 'split':
      return trans.__('split');
    case 'run':
      return trans.__('run');
    case 'model':
      return trans.__('model');
    case 'evaluation':
      return trans.__('evaluation');
    case 'endpoint':
      return trans.__('endpoint');
    case 'outcomes':
      return trans.__('outcomes');
  }
}
