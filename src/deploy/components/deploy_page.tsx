import type { Endpoint, ModelVersion } from '../../api';
import { refText } from '../../api/refs';
import {
  Button,
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  PageHeader,
  Section,
  StateGlyph,
  Time,
  toNumber,
  useOpen,
  useResource,
  useServices,
  useTrans,
  type TableColumn
} from '../../kit';
import { CommandIDs } from '../tokens';
import { OverrideCell } from './endpoint_tabs';
import { Verdicts } from './verdicts';

/** All endpoints and all model versions of the project. */
export default function DeployPage(): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const endpoints = useResource(['endpoints'], ['deploy'], (client, signal) =>
    client.get('/endpoints', { signal })
  );
  const models = useResource(['models'], ['problem', 'develop', 'deploy'], (client, signal) =>
    client.get('/models', { signal })
  );
  const deploy = (args: Record<string, string> = {}): void =>
    void commands.execute(CommandIDs.deployModel, args);
  const some = (models.data?.items.length ?? 0) > 0;
  return (
    <>
      <PageHeader
        title={trans.__('Deploy')}
        actions={
          some && (
            <Button look="accept" onClick={() => deploy()}>
              {trans.__('Deploy model')}
            </Button>
          )
        }
      />
      <Section title={trans.__('Endpoints')}>
        <Loaded resource={endpoints}>
          {({ items }) => <EndpointsTable items={items} canDeploy={some} deploy={deploy} />}
        </Loaded>
      </Section>
      <Section title={trans.__('Models')}>
        <Loaded resource={models}>
          {({ items }) => <ModelsTable items={items} deploy={deploy} />}
        </Loaded>
      </Section>
    </>
  );
}

interface EndpointsTableProps {
  items: readonly Endpoint[];
  canDeploy: boolean;
  deploy: () => void;
}

function EndpointsTable({ items, canDeploy, deploy }: EndpointsTableProps): JSX.Element {
  const trans = useTrans();
  const open = useOpen();
  const columns: TableColumn<Endpoint>[] = [
    {
      id: 'state',
      title: trans.__('State'),
      min: 96,
      grow: 0,
      value: row => row.state,
      render: row => <StateGlyph state={row.state} word />
    },
    { id: 'name', title: trans.__('Name'), min: 140, value: row => row.name },
    {
      id: 'model',
      title: trans.__('Model'),
      min: 120,
      value: row => refText(row.model)
    },
    {
      id: 'revision',
      title: trans.__('Revision'),
      min: 72,
      grow: 0,
      align: 'end',
      value: row => row.revision || row.wanted
    },
    {
      id: 'since',
      title: trans.__('Since'),
      min: 96,
      value: row => row.started,
      render: row => <Time at={row.started} />
    },
    {
      id: 'detail',
      title: trans.__('Remarks'),
      min: 160,
      grow: 2,
      render: row =>
        row.override !== null ? (
          <OverrideCell override={row.override} />
        ) : (
          <Ellipsis text={row.state === 'serving' ? row.warning : row.detail || row.warning} />
        )
    }
  ];
  return (
    <DataTable
      label={trans.__('Endpoints')}
      columns={columns}
      rows={items}
      rowKey={row => row.name}
      onOpen={row => open(`endpoint:${row.name}`)}
      empty={
        <Empty
          action={
            canDeploy && (
              <Button look="accept" onClick={deploy}>
                {trans.__('Deploy model')}
              </Button>
            )
          }
        >
          {canDeploy
            ? trans.__('No model is deployed yet.')
            : trans.__('No model is deployed yet. Train and log one first.')}
        </Empty>
      }
    />
  );
}

interface ModelsTableProps {
  items: readonly ModelVersion[];
  deploy: (args: Record<string, string>) => void;
}

function ModelsTable({ items, deploy }: ModelsTableProps): JSX.Element {
  const trans = useTrans();
  const open = useOpen();
  const columns: TableColumn<ModelVersion>[] = [
    { id: 'name', title: trans.__('Name'), min: 120, value: row => row.name },
    {
      id: 'version',
      title: trans.__('Version'),
      min: 72,
      grow: 0,
      align: 'end',
      value: row => row.version
    },
    {
      id: 'verdicts',
      title: trans.__('Measured'),
      help: trans.__('What Perijove measured, against the targets'),
      min: 280,
      grow: 2,
      value: row => toNumber(row.verdicts[0]?.value),
      render: row => <Verdicts verdicts={row.verdicts} />
    },
    { id: 'flavor', title: trans.__('Kind'), min: 88, value: row => row.facts.flavor },
    {
      id: 'endpoints',
      title: trans.__('Deployed as'),
      min: 110,
      value: row => row.endpoints.join(', ')
    },
    {
      id: 'at',
      title: trans.__('Logged'),
      min: 96,
      value: row => row.at,
      render: row => <Time at={row.at} />
    },
    { id: 'by', title: trans.__('By'), min: 72, value: row => row.by },
    {
      id: 'deploy',
      title: '',
      min: 88,
      grow: 0,
      align: 'end',
      render: row => (
        <Button
          look="link"
          title={trans.__('Deploy %1', refText(row.ref))}
          onClick={() => deploy({ model: row.ref })}
        >
          {trans.__('Deploy…')}
        </Button>
      )
    }
  ];
  return (
    <DataTable
      label={trans.__('Models')}
      columns={columns}
      rows={items}
      rowKey={row => row.ref}
      onOpen={row => open(row.ref)}
      empty={
        <Empty>
          {trans.__('No model is logged yet. In a notebook:')} <code>pj.log_model(…)</code>
        </Empty>
      }
    />
  );
}
