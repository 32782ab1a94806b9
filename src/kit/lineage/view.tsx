import { useEffect, useMemo, useState } from 'react';

import type { Lineage } from '../../api/types';
import { classes } from '../classes';
import { count } from '../format';
import { useTrans } from '../services';
import { NodeDetails } from './details';
import { LineageGraph } from './graph';
import { layOut, newest, related } from './layout';
import { useRunNames } from './names';

/** As many nodes as one can still look at. */
const MOST = 150;

export interface LineageViewProps {
  lineage: Lineage;
  /** The node that the page is about; it is marked. */
  focus?: string;
  selected: string | undefined;
  onSelect: (ref: string | undefined) => void;
  /** Takes the height of what holds it. */
  fill?: boolean;
}

/** The chain, or a part of it, with the details of the node that is selected beside it. */
export function LineageView(props: LineageViewProps): JSX.Element {
  const { lineage, focus, selected, onSelect, fill = false } = props;
  const trans = useTrans();
  const runs = useRunNames();
  // What was selected in the details takes the focus in the drawing, where the arrows work.
  const [jumped, setJumped] = useState<string>();
  useEffect(() => setJumped(undefined), [selected]);
  const near = useMemo(
    () => (selected === undefined ? undefined : related(lineage.edges, selected)),
    [lineage, selected]
  );
  // With many nodes the selection decides which are drawn; with few it must not move them.
  const kept = lineage.nodes.length > MOST ? near : undefined;
  const layout = useMemo(() => layOut(newest(lineage, MOST, kept ?? new Set())), [lineage, kept]);
  const node = lineage.nodes.find(one => one.ref === selected);
  return (
    <>
      {lineage.nodes.length > MOST && (
        <p className="pj-Lineage-trimmed">
          {trans.__('The newest %1 of %2 nodes', MOST, count(lineage.nodes.length))}
        </p>
      )}
      <div className={classes('pj-Lineage-split', fill && 'pj-mod-fill')}>
        <LineageGraph
          layout={layout}
          focus={focus}
          selected={selected}
          jumped={jumped}
          near={near}
          runs={runs}
          onSelect={onSelect}
        />
        {node !== undefined && (
          <NodeDetails
            node={node}
            nodes={lineage.nodes}
            runs={runs}
            edges={lineage.edges}
            onSelect={ref => {
              onSelect(ref);
              setJumped(ref);
            }}
            onClose={() => {
              setJumped(node.ref);
              onSelect(undefined);
            }}
          />
        )}
      </div>
    </>
  );
}
