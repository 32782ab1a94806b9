import { useEffect, useMemo, useState } from 'react';

import type { Lineage } from '../../api';
import { STEPS } from '../../api';
import { Empty, Loaded, PageHeader, useResource, useTrans } from '../../kit';
import type { PageProps } from '../../kit';
import { joined } from '../../kit/lineage/layout';
import { LineageView } from '../../kit/lineage/view';

export type LineageArgs = { ref?: string };

/** The chain from left to right, from the data to the outcomes. */
export default function LineagePage({ args }: PageProps<LineageArgs>): JSX.Element {
  const trans = useTrans();
  const [selected, setSelected] = useState(args.ref);
  useEffect(() => {
    if (args.ref !== undefined) {
      setSelected(args.ref);
    }
  }, [args.ref]);
  const lineage = useResource(['lineage'], STEPS, (client, signal) =>
    client.get('/lineage', { signal })
  );
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
            <Whole lineage={data} selected={selected} onSelect={setSelected} />
          )
        }
      </Loaded>
    </div>
  );
}

/** The whole chain, with all that is around the selected node even where it is newer. */
function Whole(props: {
  lineage: Lineage;
  selected: string | undefined;
  onSelect: (ref: string | undefined) => void;
}): JSX.Element {
  const { lineage, selected, onSelect } = props;
  const around = useResource(
    ['lineage', selected ?? ''],
    STEPS,
    (client, signal) => client.get('/lineage', { query: { ref: selected ?? '' }, signal }),
    { enabled: selected !== undefined }
  );
  const { data } = around;
  const shown = useMemo(
    () => (data === undefined ? lineage : joined(lineage, data)),
    [lineage, data]
  );
  return <LineageView lineage={shown} selected={selected} onSelect={onSelect} fill />;
}
