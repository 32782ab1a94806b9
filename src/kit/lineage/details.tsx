import type { ReactNode } from 'react';

import { parseRef } from '../../api/refs';
import type { Edge, Node } from '../../api/types';
import { Button } from '../button';
import { Drawer } from '../drawer';
import { figure, full } from '../format';
import { useOpen } from '../open';
import { RefLink } from '../ref';
import { useServices, useTrans } from '../services';
import { Ellipsis, KeyValue, Time } from '../values';
import { isFinding, kindName, nodeLabel, type RunNames } from './names';

export interface NodeDetailsProps {
  node: Node;
  nodes: readonly Node[];
  runs: RunNames;
  edges: readonly Edge[];
  onSelect: (ref: string) => void;
  onClose: () => void;
}

/** The facts of a node, what it was made from and what was made from it. */
export function NodeDetails(props: NodeDetailsProps): JSX.Element {
  const { node, nodes, runs, edges, onSelect, onClose } = props;
  const trans = useTrans();
  const { openers } = useServices();
  const open = useOpen();
  const nameOf = (ref: string): string => {
    const other = nodes.find(one => one.ref === ref);
    return other === undefined
      ? ref
      : `${kindName(other.kind, trans)} ${nodeLabel(other, runs, trans)}`;
  };
  const before = edges.filter(edge => edge.dst === node.ref);
  const after = edges.filter(edge => edge.src === node.ref);
  const facts = Object.entries(node.facts)
    .map(
      ([key, value]) =>
        [key.replaceAll('_', ' '), factText(value, kind => openers.has(kind))] as const
    )
    .filter(([, value]) => value !== null);
  return (
    <Drawer
      title={nodeLabel(node, runs, trans)}
      kind={kindName(node.kind, trans)}
      onClose={onClose}
      quiet
      actions={
        openers.has(node.kind) &&
        hasPage(node) && (
          <Button onClick={() => open(node.ref)}>
            {trans.__('Open %1', kindName(node.kind, trans))}
          </Button>
        )
      }
    >
      <div className="pj-NodeDetails">
        <KeyValue
          items={[
            [trans.__('made'), <Time key="at" at={node.at} />],
            [trans.__('by'), node.by],
            ...facts
          ]}
        />
        <Neighbours
          title={trans.__('Made from')}
          edges={before.map(edge => [edge.src, edge.role])}
          nameOf={nameOf}
          onSelect={onSelect}
        />
        <Neighbours
          title={trans.__('Led to')}
          edges={after.map(edge => [edge.dst, edge.role])}
          nameOf={nameOf}
          onSelect={onSelect}
        />
      </div>
    </Drawer>
  );
}

/** Whether it opens as more than a node of this drawing. */
function hasPage({ kind }: Node): boolean {
  return kind === 'signoff' || !(isFinding(kind) || kind === 'outcomes' || kind === 'source');
}

function Neighbours(props: {
  title: string;
  edges: readonly (readonly [string, string])[];
  nameOf: (ref: string) => string;
  onSelect: (ref: string) => void;
}): JSX.Element | null {
  if (props.edges.length === 0) {
    return null;
  }
  return (
    <div className="pj-NodeDetails-near">
      <h3>{props.title}</h3>
      <ul>
        {props.edges.map(([ref, role]) => (
          <li key={`${ref} ${role}`}>
            <Button look="link" title={ref} onClick={() => props.onSelect(ref)}>
              {props.nameOf(ref)}
            </Button>
            <span className="pj-NodeDetails-role">{role}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A fact in one line; null for what is too large to be one, or says nothing. */
function factText(value: unknown, opens: (kind: string) => boolean): ReactNode {
  if (typeof value === 'number') {
    return (
      <span title={full(value)}>{Number.isInteger(value) ? String(value) : figure(value)}</span>
    );
  }
  if (typeof value === 'boolean') {
    return String(value);
  }
  if (typeof value === 'string' && opens(parseRef(value)?.kind ?? '')) {
    return <RefLink of={value} />;
  }
  if (typeof value === 'string' && value !== '' && !value.includes('\n')) {
    return <Ellipsis text={value} />;
  }
  if (Array.isArray(value) && value.length > 0) {
    return value.every(item => typeof item === 'string') ? (
      <Ellipsis text={value.join(', ')} />
    ) : null;
  }
  return null;
}
