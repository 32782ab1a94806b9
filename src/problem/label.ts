import type { Node, WireNumber } from '../api';
import { figure } from '../kit';

/** Run identifiers to the names that people gave. */
export type RunNames = ReadonlyMap<string, string>;

/** What a node is known by: a run by its name, an evaluation by what it measured. */
export function nodeLabel(node: Node, runs: RunNames): string {
  const { metric, value } = node.facts as { metric?: string; value?: WireNumber | null };
  switch (node.kind) {
    case 'run':
      return runs.get(node.name) ?? node.name.slice(0, 8);
    case 'evaluation':
    case 'outcomes':
      return metric === undefined || metric === '' || value === undefined
        ? `${node.name} v${node.version}`
        : `${metric} ${figure(value)}`;
    default:
      return `${node.name} v${node.version}`;
  }
}
