import type { Trans } from '../../api/language';
import { versionText } from '../../api/refs';
import type { Node, NodeKind, QualityFacts, WireNumber } from '../../api/types';
import { figure } from '../format';
import { useResource } from '../resource';
import { RANK } from './layout';

/** Run identifiers to the names that people gave. */
export type RunNames = ReadonlyMap<string, string>;

const NO_NAMES: RunNames = new Map();
/** Older runs are called by the head of their identifier. */
const MOST = 1000;

/** The names of the runs; none until they are known. */
export function useRunNames(): RunNames {
  const runs = useResource(['run-names'], ['develop'], async (client, signal) => {
    const { items } = await client.get('/runs', { query: { limit: MOST }, signal });
    return new Map(items.map(run => [run.run_id, run.name]));
  });
  return runs.data ?? NO_NAMES;
}

/** Whether a word is a kind of node. */
export function isKind(word: string): word is NodeKind {
  return Object.hasOwn(RANK, word);
}

/** What a kind of node is called. */
export function kindName(kind: NodeKind, trans: Trans): string {
  switch (kind) {
    case 'signoff':
      return trans.__('sign-off');
    case 'source':
      return trans.__('source');
    case 'data':
      return trans.__('data');
    case 'quality':
      return trans.__('quality check');
    case 'proof':
      return trans.__('proof');
    case 'split':
      return trans.__('split');
    case 'run':
      return trans.__('run');
    case 'recipe':
      return trans.__('recipe');
    case 'certificate':
      return trans.__('rerun');
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

/** What was found out about another node, and is no thing of its own. */
export function isFinding(kind: NodeKind): boolean {
  return ['quality', 'proof', 'certificate', 'recipe', 'evaluation', 'signoff', 'split'].includes(
    kind
  );
}

/** What a node is known by: a run by its name, what was found out by its result. */
export function nodeLabel(node: Node, runs: RunNames, trans: Trans): string {
  const plain = versionText(node.name, node.version);
  switch (node.kind) {
    case 'run':
      return runs.get(node.name) ?? node.name.slice(0, 8);
    case 'source':
      return node.name;
    case 'quality': {
      const { blocked, quarantined } = node.facts as Partial<QualityFacts>;
      return blocked === true
        ? trans.__('blocked')
        : quarantined === undefined || quarantined === 0
          ? trans.__('no row set aside')
          : trans._n('%1 row set aside', '%1 rows set aside', quarantined);
    }
    case 'proof':
      return node.facts['same'] === true ? trans.__('the same rows') : trans.__('other rows');
    case 'certificate':
      return node.facts['ok'] === true ? trans.__('proved') : trans.__('not proved');
    case 'evaluation':
    case 'outcomes': {
      const { metric, value } = node.facts as { metric?: string; value?: WireNumber | null };
      return metric === undefined || metric === '' || value === undefined
        ? plain
        : `${metric} ${figure(value)}`;
    }
    default:
      return plain;
  }
}
