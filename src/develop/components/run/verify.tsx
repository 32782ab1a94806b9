import type { CertificateFacts, Compared, Job, Run } from '../../../api';
import { Button } from '../../../kit/button';
import { Empty } from '../../../kit/feedback';
import { duration, figure } from '../../../kit/format';
import { Section } from '../../../kit/header';
import { JobView, isActive, useJobs } from '../../../kit/job';
import { RefLink } from '../../../kit/ref';
import { useServices, useTrans } from '../../../kit/services';
import { StateGlyph } from '../../../kit/state';
import { DataTable, type TableColumn } from '../../../kit/table';
import { Badge, Figure, Time } from '../../../kit/values';
import { CommandIDs } from '../../tokens';

/** Whether a run does again what it did: its reruns, and a button for one more. */
export function VerifyTab({ run }: { run: Run }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const jobs = useJobs();
  const { run_id: runId, name } = run.summary;
  const rerun = jobs.data?.items.find(job => isRerunOf(job, runId));
  const running = rerun !== undefined && isActive(rerun);
  const [newest, ...older] = run.certificates;
  return (
    <div className="pj-Run-scroll">
      <div className="pj-Verify-head">
        <p>
          {trans.__(
            'A rerun makes a fresh environment from the packages of this run, runs its recorded cells on the same data versions with the same seed, and compares every metric.'
          )}
        </p>
        {run.obstacle === '' ? (
          !running && (
            <Button
              look={newest === undefined ? 'accept' : 'plain'}
              onClick={() => void commands.execute(CommandIDs.rerunRun, { run_id: runId, name })}
            >
              {newest === undefined ? trans.__('Rerun and verify') : trans.__('Verify again')}
            </Button>
          )
        ) : (
          <p className="pj-Note" role="note">
            {trans.__('It cannot be run again: %1', run.obstacle)}
          </p>
        )}
      </div>
      {rerun !== undefined && (running || rerun.state !== 'finished') && <JobView job={rerun} />}
      {newest === undefined ? (
        !running && run.obstacle === '' && <Empty>{trans.__('It was not verified yet.')}</Empty>
      ) : (
        <Certificate of={newest} />
      )}
      {older.length > 0 && (
        <Section title={trans.__('Before')}>
          {older.map(one => (
            <details key={one.at} className="pj-Fold">
              <summary>
                <CertificateLine of={one} />
              </summary>
              <Certificate of={one} />
            </details>
          ))}
        </Section>
      )}
    </div>
  );
}

/** Whether this job runs that run again; the newest such job comes first in the list. */
function isRerunOf(job: Job, runId: string): boolean {
  return job.kind === 'rerun' && job.subject.replace(/@\d+$/, '') === `run:${runId}`;
}

function CertificateLine({ of }: { of: CertificateFacts }): JSX.Element {
  const trans = useTrans();
  return (
    <span className="pj-Verify-line">
      <StateGlyph
        state={of.ok ? 'pass' : 'fail'}
        label={of.ok ? trans.__('verified') : trans.__('not verified')}
        word
      />
      <span className="pj-mod-quiet">
        <Time at={of.at} />
        {of.seconds > 0 && <> · {trans.__('took %1', duration(of.seconds * 1000))}</>}
      </span>
    </span>
  );
}

function Certificate({ of }: { of: CertificateFacts }): JSX.Element {
  const trans = useTrans();
  return (
    <section className="pj-Verify" aria-label={trans.__('Certificate')}>
      <header className="pj-Verify-title">
        <CertificateLine of={of} />
        <span className="pj-Verify-how">
          {of.bitwise
            ? trans.__('every point, bit for bit')
            : trans.__('last values, within %1', figure(of.tolerance))}
        </span>
        {of.rerun !== '' && (
          <span>
            {trans.__('rerun')} <RefLink of={`run:${of.rerun}@1`} />
          </span>
        )}
      </header>
      {of.reasons.length > 0 && (
        <ul className="pj-Verify-reasons">
          {of.reasons.map(reason => (
            <li key={reason}>
              <StateGlyph state="fail" />
              <span>{reason}</span>
            </li>
          ))}
        </ul>
      )}
      {of.metrics.length > 0 && <Metrics items={of.metrics} bitwise={of.bitwise} />}
      {of.differences.length > 0 && (
        <details className="pj-Fold" open={!of.ok}>
          <summary>
            {trans.__('Differences of the environments')}{' '}
            <span className="pj-Tabs-count">{of.differences.length}</span>
          </summary>
          <ul className="pj-Verify-differences">
            {of.differences.map(difference => (
              <li key={difference}>{difference}</li>
            ))}
          </ul>
        </details>
      )}
      <p className="pj-mod-quiet pj-Verify-hashes">
        {of.inputs.length > 0 && (
          <>
            {trans.__('data')}{' '}
            {of.inputs.map(ref => (
              <RefLink key={ref} of={ref} />
            ))}
          </>
        )}
        {of.cells_sha256 !== '' && (
          <span title={of.cells_sha256}>
            {trans.__('cells')} <code>{of.cells_sha256.slice(0, 10)}</code>
          </span>
        )}
        {of.lock_sha256 !== '' && (
          <span title={of.lock_sha256}>
            {trans.__('packages')} <code>{of.lock_sha256.slice(0, 10)}</code>
          </span>
        )}
      </p>
    </section>
  );
}

function Metrics({
  items,
  bitwise
}: {
  items: readonly Compared[];
  bitwise: boolean;
}): JSX.Element {
  const trans = useTrans();
  const columns: TableColumn<Compared>[] = [
    { id: 'metric', title: trans.__('Metric'), min: 140, grow: 2, value: row => row.metric },
    {
      id: 'expected',
      title: trans.__('Run'),
      align: 'end',
      min: 100,
      value: row => Number(row.expected),
      render: row => <Figure value={row.expected} />
    },
    {
      id: 'found',
      title: trans.__('Rerun'),
      align: 'end',
      min: 100,
      value: row => (row.found === null ? null : Number(row.found)),
      render: row =>
        row.found === null ? (
          <span className="pj-mod-quiet">{trans.__('not logged')}</span>
        ) : (
          <Figure value={row.found} />
        )
    },
    {
      id: 'same',
      title: trans.__('Same'),
      min: 180,
      grow: 0,
      value: row => Number(row.same),
      render: row =>
        row.same ? (
          <StateGlyph
            state="pass"
            label={
              bitwise && row.points > 1
                ? trans.__('all %1 points', row.points)
                : bitwise
                  ? trans.__('bit for bit')
                  : trans.__('close enough')
            }
            word
          />
        ) : (
          <Badge look="failed">
            {row.differing > 0 && row.first_step !== null
              ? trans.__('%1 of %2 points, from step %3', row.differing, row.points, row.first_step)
              : trans.__('differs')}
          </Badge>
        )
    }
  ];
  return (
    <DataTable
      label={trans.__('Metrics of the run and of its rerun')}
      columns={columns}
      rows={items}
      rowKey={row => row.metric}
      sort={{ column: 'same', descending: false }}
      height={14}
    />
  );
}
