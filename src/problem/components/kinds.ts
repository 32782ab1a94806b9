import type { NodeKind } from '../../api';

/** What a kind of node is called. */
export function kindName(kind: NodeKind, trans: { __: (text: string) => string }): string {
  switch (kind) {
    case 'signoff':
      return trans.__('sign-off');
    case 'source':
      return trans.__('source');
    case 'data':
      return trans.__('data');
    case 'quality':
      return trans.__('check');
    case 'proof':
      return trans.__('proof');
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
