import { useState } from 'react';

import type { Dataset, DataVersion, Proof, Trans } from '../../api';
import { refText } from '../../api/refs';
import { askToAct } from '../../kit/act';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { ErrorView, Loaded } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { bytes, count } from '../../kit/format';
import { Section } from '../../kit/header';
import { JobView, useJob } from '../../kit/job';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import { Badge, Ellipsis, Time } from '../../kit/values';
import { DiffView } from './diff_view';
import { ScheduleForm } from './schedule_form';
import { SplitForm } from './split_form';

export interface VersionsTabProps {
  dataset: Dataset;
  /** Look at another version. */
  onVersion: (version: number) => void;
}

/** Every version: where it comes from, whether it can be made again, what changed. */
export function VersionsTab({ dataset, onVersion }: VersionsTabProps): JSX.Element {
  const { name, version, facts } = dataset;
  const { client, events } = useServices();
  const trans = useTrans();
  const [compared, setCompared] = useState<number>();
  const [started, setStarted] = useState('');
  const versions = useResource(['versions', name], ['data'], (c, signal) =>
    c.get('/datasets/{name}/versions', { path: { name }, signal })
  );
  const curated = facts.kind === 'curated';
  const again = useAction(async () => {
    const sure = await askToAct(
      {
        title: trans.__('Make version %1 of %2 again?', version, name),
        body: trans.__(
          'The recorded program runs in a process of its own on the recorded inputs. The result is compared row for row and then thrown away; no version is added.'
        ),
        accept: trans.__('Make again')
      },
      trans
    );
    if (sure) {
      const job = await client.post('/datasets/{name}/make-again', {
        path: { name },
        body: { version }
      });
      setStarted(job.id);
      events.announce('data', 'operate');
    }
  });
  const curate = useAction(async () => {
    const sure = await askToAct(
      {
        title: trans.__('Make a new version of %1?', name),
        body: trans.__(
          'The program of version %1 runs on the newest versions of its inputs. Equal rows add no version.',
          version
        ),
        accept: trans.__('Curate now')
      },
      trans
    );
    if (sure) {
      const job = await client.post('/datasets/{name}/curate', { path: { name } });
      setStarted(job.id);
      events.announce('data', 'operate');
    }
  });
  const job = useJob(started === '' ? (dataset.schedule?.job ?? '') : started);
  const columns: TableColumn<DataVersion>[] = [
    {
      id: 'version',
      title: trans.__('Version'),
      value: one => one.version,
      render: one => (
        <>
          <span className="pj-mod-strong">v{one.version}</span>
          {one.version === version && <Badge>{trans.__('shown')}</Badge>}
        </>
      ),
      min: 112,
      grow: 0
    },
    {
      id: 'at',
      title: trans.__('Made'),
      value: one => one.at,
      render: one => <Time at={one.at} />,
      min: 104,
      grow: 0
    },
    { id: 'by', title: trans.__('By'), value: one => one.by, min: 80 },
    {
      id: 'rows',
      title: trans.__('Rows'),
      value: one => one.rows,
      render: one => count(one.rows),
      align: 'end',
      min: 96,
      grow: 0
    },
    {
      id: 'bytes',
      title: trans.__('Size'),
      value: one => one.bytes,
      render: one => bytes(one.bytes),
      align: 'end',
      min: 80,
      grow: 0
    },
    {
      id: 'quality',
      title: trans.__('Rules'),
      value: one => one.quality?.failed ?? null,
      render: one => <Quality version={one} />,
      min: 128,
      grow: 0
    },
    {
      id: 'proof',
      title: trans.__('Made again'),
      value: one => (one.proof === null ? null : one.proof.same ? 1 : 0),
      render: one =>
        one.proof !== null ? (
          <Badge look={one.proof.same ? 'ok' : 'failed'} title={proofInWords(one.proof, trans)}>
            {one.proof.same ? trans.__('identical') : trans.__('differs')}
          </Badge>
        ) : one.obstacle !== '' ? (
          <span className="pj-mod-quiet" title={one.obstacle}>
            {one.kind === 'curated' ? trans.__('cannot be') : ''}
          </span>
        ) : (
          <span className="pj-mod-quiet">{trans.__('not tried')}</span>
        ),
      min: 112,
      grow: 0
    },
    {
      id: 'inputs',
      title: trans.__('Made from'),
      value: one => one.inputs.map(refText).join(', '),
      render: one => <Ellipsis text={one.inputs.map(refText).join(', ')} />,
      min: 120,
      grow: 2
    }
  ];
  return (
    <div className="pj-Versions">
      <Loaded resource={versions}>
        {({ items }) => {
          const shown = items.find(one => one.version === version);
          const others = items.filter(one => one.version !== version);
          return (
            <>
              <div className="pj-Columns-bar">
                {others.length > 0 && (
                  <div className="pj-Versions-compare">
                    <span>{trans.__('Compare version %1 with', version)}</span>
                    <SelectField
                      bare
                      label={trans.__('Compare version %1 with', version)}
                      value={compared === undefined ? '' : String(compared)}
                      options={[
                        { value: '', label: '–' },
                        ...others.map(one => ({
                          value: String(one.version),
                          label: trans.__('version %1', one.version)
                        }))
                      ]}
                      onChange={value => setCompared(value === '' ? undefined : Number(value))}
                    />
                  </div>
                )}
                <span className="pj-ViewBar-space" />
                {curated && (
                  <>
                    <Button
                      busy={again.busy}
                      disabled={shown !== undefined && shown.obstacle !== ''}
                      title={shown?.obstacle}
                      onClick={() => void again.run()}
                    >
                      {trans.__('Make version %1 again', version)}
                    </Button>
                    <Button look="accept" busy={curate.busy} onClick={() => void curate.run()}>
                      {trans.__('Curate now')}
                    </Button>
                  </>
                )}
              </div>
              {again.error !== undefined && <ErrorView error={again.error} compact />}
              {curate.error !== undefined && <ErrorView error={curate.error} compact />}
              {job.data !== undefined && <JobView job={job.data} />}
              {shown?.proof != null && (
                <p className="pj-Proof">
                  <Badge look={shown.proof.same ? 'ok' : 'failed'}>
                    {shown.proof.same ? trans.__('identical') : trans.__('differs')}
                  </Badge>{' '}
                  {proofInWords(shown.proof, trans)}
                </p>
              )}
              <div className="pj-Columns-main">
                <div className="pj-Rules-content">
                  <DataTable
                    label={trans.__('Versions')}
                    columns={columns}
                    rows={items}
                    rowKey={one => one.ref}
                    onOpen={one => onVersion(one.version)}
                    sort={{ column: 'version', descending: true }}
                    height={12}
                  />
                  <Section title={trans.__('Train, validation and test')}>
                    <SplitForm key={version} dataset={dataset} />
                  </Section>
                  {curated && (
                    <Section title={trans.__('Schedule')}>
                      <ScheduleForm key={dataset.schedule?.when} dataset={dataset} />
                    </Section>
                  )}
                </div>
                {compared !== undefined && compared !== version && (
                  <DiffView
                    name={name}
                    base={Math.min(compared, version)}
                    version={Math.max(compared, version)}
                    onClose={() => setCompared(undefined)}
                  />
                )}
              </div>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Quality({ version }: { version: DataVersion }): JSX.Element {
  const trans = useTrans();
  const { quality } = version;
  if (quality === null) {
    return <span className="pj-mod-quiet">{trans.__('not checked')}</span>;
  }
  switch (quality.state) {
    case 'pass':
      return <Badge look="ok">{trans._n('%1 passes', 'all %1 pass', quality.rules)}</Badge>;
    case 'warn':
      return (
        <Badge
          look="attention"
          title={trans.__(
            '%1 rows in quarantine, %2 fixed',
            count(quality.quarantined),
            count(quality.fixed)
          )}
        >
          {trans.__('%1 of %2 fail', quality.failed, quality.rules)}
        </Badge>
      );
    case 'blocked':
      return <Badge look="failed">{trans.__('blocked')}</Badge>;
  }
}

function proofInWords(proof: Proof, trans: Trans): string {
  const rows = count(proof.rows);
  const words = proof.same
    ? trans.__('%1 rows, fingerprint %2', rows, shortened(proof.fingerprint))
    : trans.__('%1 rows came out, and they are other rows', rows);
  return [words, ...proof.differences].join(' · ');
}

/** The method and the head of a fingerprint. */
function shortened(fingerprint: string): string {
  return fingerprint.length > 28 ? `${fingerprint.slice(0, 27)}…` : fingerprint;
}
