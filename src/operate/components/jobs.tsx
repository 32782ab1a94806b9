import type { Job } from '../../api';
import {
  Button,
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  Section,
  StateGlyph,
  Time,
  duration,
  useServices,
  useTrans,
  type TableColumn
} from '../../kit';
import { JobProgress, isActive, useJobs } from '../../kit/job';
import { useNow } from '../../kit/now';
import { CommandIDs } from '../tokens';
import { kindWord } from '../words';

/** What was done in processes of its own, newest first. */
export function Jobs(): JSX.Element {
  const trans = useTrans();
  const jobs = useJobs();
  return (
    <Section title={trans.__('Jobs')}>
      <Loaded resource={jobs}>{({ items }) => <JobTable items={items} />}</Loaded>
    </Section>
  );
}

function JobTable({ items }: { items: readonly Job[] }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const now = useNow(items.some(job => job.state === 'running'));
  const took = ({ started, ended }: Job): number | null =>
    started === null ? null : Math.max(0, (ended ?? now) - started);
  const columns: TableColumn<Job>[] = [
    {
      id: 'state',
      title: trans.__('State'),
      min: 110,
      grow: 0,
      value: job => job.state,
      render: job => <StateGlyph state={job.state} word />
    },
    { id: 'title', title: trans.__('Job'), min: 160, grow: 2, value: job => job.title },
    {
      id: 'kind',
      title: trans.__('Kind'),
      min: 110,
      grow: 0,
      value: job => kindWord(job.kind, trans)
    },
    {
      id: 'doing',
      title: trans.__('Doing'),
      min: 160,
      grow: 2,
      render: job =>
        isActive(job) ? (
          <span className="pj-Jobs-doing">
            <JobProgress job={job} />
          </span>
        ) : (
          <Ellipsis text={job.error?.message ?? job.detail} />
        )
    },
    {
      id: 'created',
      title: trans.__('Sent'),
      min: 110,
      grow: 0,
      value: job => job.created,
      render: job => <Time at={job.created} />
    },
    {
      id: 'took',
      title: trans.__('Took'),
      min: 80,
      grow: 0,
      align: 'end',
      value: took,
      render: job => duration(took(job))
    },
    {
      id: 'stop',
      title: '',
      align: 'end',
      min: 80,
      grow: 0,
      render: job =>
        isActive(job) && (
          <Button
            className="pj-Operate-stop"
            aria-label={trans.__('Stop job %1', job.title)}
            onClick={() => void commands.execute(CommandIDs.stopJob, { job: job.id })}
          >
            {trans.__('Stop')}
          </Button>
        )
    }
  ];
  return (
    <DataTable
      label={trans.__('Jobs of the project')}
      columns={columns}
      rows={items}
      rowKey={job => job.id}
      rowLabel={job => job.title}
      onOpen={job => void commands.execute(CommandIDs.openJob, { id: job.id })}
      height={14}
      empty={
        <Empty>
          {trans.__(
            'No job was sent yet. Training in the background, curations and reruns are jobs.'
          )}
        </Empty>
      }
    />
  );
}
