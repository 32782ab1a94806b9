import type { Endpoint, Gate, Override, Revision } from '../../api';
import { refText } from '../../api/refs';
import {
  Button,
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  Section,
  StateGlyph,
  Time,
  useResource,
  useServices,
  useTrans,
  type TableColumn
} from '../../kit';
import { RefLink } from '../../kit/ref';
import { phaseOf } from '../phase';
import { CommandIDs } from '../tokens';
import { Url } from './deployment';
import { GateChecklist } from './gate';
import { Snippets } from './snippets';
import { TryIt } from './tryit';
import { OverrideBanner } from './verdicts';

/** A request to the endpoint, from a form filled with the sample row. */
export function TryTab({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const trans = useTrans();
  const { client } = useServices();
  const { name } = endpoint;
  return (
    <TryIt
      key={endpoint.model}
      fields={endpoint.signature?.inputs ?? []}
      sample={endpoint.sample}
      closed={
        endpoint.revision === 0
          ? phaseOf(endpoint) === 'stopped'
            ? trans.__('The endpoint is stopped.')
            : trans.__('No revision answers now.')
          : undefined
      }
      invoke={row =>
        client.post('/endpoints/{name}/invoke', { path: { name }, body: { rows: [row] } })
      }
    />
  );
}

/** The address, and code that calls it. */
export function UseTab(props: { endpoint: Endpoint; copy: (text: string) => void }): JSX.Element {
  const { endpoint, copy } = props;
  const trans = useTrans();
  if (endpoint.url === '' && Object.keys(endpoint.snippets).length === 0) {
    return <p className="pj-Deploy-muted">{trans.__('The endpoint has no address now.')}</p>;
  }
  return (
    <>
      {endpoint.url !== '' && <Url url={endpoint.url} copy={copy} />}
      <Snippets snippets={endpoint.snippets} copy={copy} />
    </>
  );
}

/** Every revision, newest first; an earlier one can answer again. */
export function RevisionsTab({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const columns: TableColumn<Revision>[] = [
    {
      id: 'number',
      title: trans.__('Revision'),
      align: 'end',
      min: 72,
      grow: 0,
      value: row => row.number
    },
    {
      id: 'live',
      title: trans.__('State'),
      min: 104,
      grow: 0,
      render: row =>
        row.live ? (
          <StateGlyph state="serving" word />
        ) : (
          <span className="pj-Deploy-muted">{trans.__('not serving')}</span>
        )
    },
    {
      id: 'model',
      title: trans.__('Model'),
      min: 120,
      value: row => row.model,
      render: row => <RefLink of={row.model} />
    },
    {
      id: 'at',
      title: trans.__('Deployed'),
      min: 96,
      value: row => row.at,
      render: row => <Time at={row.at} />
    },
    { id: 'by', title: trans.__('By'), min: 80, value: row => row.by },
    {
      id: 'override',
      title: trans.__('Gate'),
      min: 140,
      grow: 2,
      render: row =>
        row.override === null ? (
          <StateGlyph state="pass" word label={trans.__('passed')} />
        ) : (
          <OverrideCell override={row.override} />
        )
    },
    {
      id: 'roll-back',
      title: '',
      min: 104,
      grow: 0,
      align: 'end',
      render: row =>
        row.number === endpoint.wanted && endpoint.state !== 'stopped' ? null : (
          <Button
            look="link"
            title={trans.__('Let revision %1 answer', row.number)}
            onClick={() =>
              void commands.execute(CommandIDs.rollBackEndpoint, {
                name: endpoint.name,
                revision: row.number
              })
            }
          >
            {row.number < endpoint.wanted ? trans.__('Roll back') : trans.__('Bring back')}
          </Button>
        )
    }
  ];
  return (
    <DataTable
      label={trans.__('Revisions of %1', endpoint.name)}
      columns={columns}
      rows={[...endpoint.revisions].sort((a, b) => b.number - a.number)}
      rowKey={row => row.ref}
      height={16}
    />
  );
}

export function OverrideCell({ override }: { override: Override }): JSX.Element {
  const trans = useTrans();
  return (
    <span className="pj-Deploy-cell">
      <StateGlyph state="attention" label={trans.__('overridden')} />
      <Ellipsis text={trans.__('overridden by %1: %2', override.by, override.reason)} />
    </span>
  );
}

/** The gate as it stood when the revision that answers was deployed. */
export function GateTab({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const trans = useTrans();
  const revision =
    endpoint.revisions.find(one => one.number === (endpoint.revision || endpoint.wanted)) ?? null;
  const ref = revision?.ref ?? '';
  const lineage = useResource(
    ['lineage', ref],
    [],
    (client, signal) => client.get('/lineage', { query: { ref }, signal }),
    { enabled: ref !== '' }
  );
  if (revision === null) {
    return <Empty>{trans.__('Nothing was deployed here yet.')}</Empty>;
  }
  return (
    <Loaded resource={lineage}>
      {({ nodes }) => {
        const facts: { gate?: unknown } = nodes.find(node => node.ref === ref)?.facts ?? {};
        if (!isGate(facts.gate)) {
          return <p className="pj-Deploy-muted">{trans.__('The gate was not recorded.')}</p>;
        }
        return (
          <Section
            title={trans.__(
              'As it stood when revision %1 (%2) was deployed',
              revision.number,
              refText(revision.model)
            )}
          >
            {revision.override !== null && <OverrideBanner override={revision.override} />}
            <GateChecklist gate={facts.gate} passedOver={revision.override?.failed} />
          </Section>
        );
      }}
    </Loaded>
  );
}

/** Facts of a node are JSON of its kind; an endpoint's hold the gate. */
function isGate(value: unknown): value is Gate {
  return typeof value === 'object' && value !== null && 'checks' in value;
}
