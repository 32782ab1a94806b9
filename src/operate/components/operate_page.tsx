import { useState } from 'react';

import type { Activity, Resources } from '../../api';
import {
  Button,
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  PageHeader,
  Section,
  Time,
  bytes,
  useLoad,
  useOpen,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import type { TableColumn } from '../../kit';
import { CommandIDs } from '../tokens';
import { Jobs } from './jobs';
import { Machine } from './machine';

/** Samples that the sparklines show, one a second. */
const SAMPLES = 120;
/** Milliseconds between two looks at the processes while the page is on screen. */
const LOOK = 5000;

/** The machine, and every process that the project runs on it. */
export default function OperatePage(): JSX.Element {
  const trans = useTrans();
  const report = useResource(
    ['operate'],
    ['operate', 'develop', 'deploy', 'data'],
    (client, signal) => client.get('/operate', { signal }),
    { every: LOOK }
  );
  const [history, setHistory] = useState<readonly Resources[]>([]);
  useLoad(resources => setHistory(old => [...old.slice(1 - SAMPLES), resources]));
  return (
    <div className="pj-Operate">
      <PageHeader
        title={trans.__('Operate')}
        facts={trans.__('The machine of the Jupyter server, and what this project runs on it')}
      />
      <Loaded resource={report}>
        {({ resources, activities }) => (
          <>
            <Machine now={history[history.length - 1] ?? resources} history={history} />
            <Section title={trans.__('Running')}>
              <Activities items={activities} />
            </Section>
            <Jobs />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Activities({ items }: { items: readonly Activity[] }): JSX.Element {
  const trans = useTrans();
  const { commands, openers } = useServices();
  const open = useOpen();
  const kinds: Record<Activity['kind'], string> = {
    kernel: trans.__('kernel'),
    run: trans.__('run'),
    job: trans.__('job'),
    endpoint: trans.__('endpoint')
  };
  const columns: TableColumn<Activity>[] = [
    {
      id: 'kind',
      title: trans.__('Kind'),
      min: 90,
      grow: 0,
      value: row => kinds[row.kind]
    },
    { id: 'name', title: trans.__('Name'), min: 140, grow: 2, value: row => row.name },
    {
      id: 'detail',
      title: trans.__('Doing'),
      min: 120,
      grow: 2,
      render: row => <Ellipsis text={row.detail} />
    },
    {
      id: 'cpu',
      title: trans.__('CPU'),
      help: trans.__('Share of one core'),
      align: 'end',
      min: 80,
      grow: 0,
      value: row => row.cpu_percent,
      render: row => (row.cpu_percent === null ? '–' : `${row.cpu_percent.toFixed(0)} %`)
    },
    {
      id: 'memory',
      title: trans.__('Memory'),
      align: 'end',
      min: 90,
      grow: 0,
      value: row => row.memory,
      render: row => bytes(row.memory)
    },
    {
      id: 'pid',
      title: trans.__('Process'),
      align: 'end',
      min: 90,
      grow: 0,
      value: row => row.pid,
      render: row => row.pid ?? '–'
    },
    {
      id: 'since',
      title: trans.__('Since'),
      min: 110,
      grow: 0,
      value: row => row.since,
      render: row => <Time at={row.since} />
    },
    {
      id: 'stop',
      title: '',
      align: 'end',
      min: 80,
      grow: 0,
      render: row =>
        row.stoppable && (
          <Button
            className="pj-Operate-stop"
            aria-label={trans.__('Stop %1 %2', kinds[row.kind], row.name)}
            onClick={() =>
              void commands.execute(CommandIDs.stopActivity, {
                kind: row.kind,
                id: row.id,
                name: row.name
              })
            }
          >
            {trans.__('Stop')}
          </Button>
        )
    }
  ];
  return (
    <DataTable
      label={trans.__('Processes of the project')}
      columns={columns}
      rows={items}
      rowKey={row => `${row.kind}:${row.id}`}
      onOpen={row => {
        if (row.kind !== 'kernel' && openers.has(row.kind)) {
          open(`${row.kind}:${row.id}`);
        }
      }}
      empty={
        <Empty>
          {trans.__('Nothing of this project runs now. Training runs and endpoints appear here.')}
        </Empty>
      }
    />
  );
}
