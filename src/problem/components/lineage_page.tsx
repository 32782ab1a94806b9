import { useEffect, useMemo, useState } from 'react';

import type { Lineage } from '../../api';
import { Empty, Loaded, PageHeader, count, useResource, useTrans } from '../../kit';
import type { PageProps } from '../../kit';
import type { RunNames } from '../label';
import { layOut, newest, related } from '../layout';
import { LineageGraph } from './lineage_graph';
import { NodeDetails } from './node_details';

export type LineageArgs = { ref?: string };

/** As many nodes as one can still look at. */
const MOST = 150;
const NO_NAMES: RunNames = new Map();

/** The chain from left to right, from the data to the outcomes. */
export default function LineagePage({ args }: PageProps<LineageArgs>): JSX.Element {
  const trans = useTrans();
  const lineage = useResource(
    ['lineage'],
    ['problem', 'data', 'develop', 'deploy', 'monitor'],
    (client, signal) => client.get('/lineage', { signal })
  );
  const runs = useResource(['run-names'], ['develop'], async (client, signal) => {
    const { items } = await client.get('/runs', { query: { limit: 1000 }, signal });
    return new Map(items.map(run => [run.run_id, run.name]));
  });
  return (
    <div className="pj-PageFill pj-Lineage">
      <PageHeader
        title={trans.__('Lineage')}
        facts={trans.__(
          'From the data to the outcomes. Choose a node to see what led to it and what came of it.'
        )}
      />
      <Loaded resource={lineage}>
        {data =>
          data.nodes.length === 0 ? (
            <Empty>
              {trans.__('Nothing is on the chain yet. Register a file as a dataset to begin it.')}
            </Empty>
          ) : (
            <Graph lineage={data} runs={runs.data ?? NO_NAMES} wanted={args.ref} />
          )
        }
      </Loaded>
    </div>
  );
}

function Graph(props: {
  lineage: Lineage;
  runs: RunNames;
  wanted: string | undefined;
}): JSX.Element {
  const { lineage, runs, wanted } = props;
  const trans = useTrans();
  const [selected, setSelected] = useState(wanted);
  useEffect(() => {
    if (wanted !== undefined) {
      setSelected(wanted);
    }
  }, [wanted]);
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
      <div className="pj-Lineage-split">
        <LineageGraph
          layout={layout}
          selected={selected}
          near={near}
          runs={runs}
          onSelect={setSelected}
        />
        {node !== undefined && (
          <NodeDetails
            node={node}
            nodes={lineage.nodes}
            runs={runs}
            edges={lineage.edges}
            onSelect={setSelected}
            onClose={() => setSelected(undefined)}
          />
        )}
      </div>
    </>
  );
}
