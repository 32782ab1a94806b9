import { useEffect, useState } from 'react';

import type { KpiStatus, Lifecycle, Project } from '../../api';
import {
  Badge,
  Button,
  DataTable,
  Ellipsis,
  Empty,
  Figure,
  Loaded,
  NOTHING,
  PageHeader,
  Section,
  StateGlyph,
  Tabs,
  Time,
  figure,
  useOpen,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import type { Condition, PageProps, TableColumn } from '../../kit';
import { sign } from '../target';
import { CommandIDs } from '../tokens';
import { AuditList } from './audit';
import { Chain } from './chain';
import { DefinitionForm } from './definition_form';

export type ProjectArgs = { edit?: boolean; tab?: string };

/** The project: its question, its targets, who signed them, and the chain. */
export default function ProjectPage({ args, setTitle }: PageProps<ProjectArgs>): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const project = useResource(['project'], ['problem'], (client, signal) =>
    client.get('/project', { signal })
  );
  const lifecycle = useResource(
    ['lifecycle'],
    ['problem', 'data', 'develop', 'deploy', 'monitor'],
    (client, signal) => client.get('/lifecycle', { signal })
  );
  const [editing, setEditing] = useState(args.edit === true);
  const [tab, setTab] = useState(args.tab ?? 'targets');
  useEffect(() => {
    setEditing(args.edit === true);
    setTab(args.tab ?? 'targets');
  }, [args]);
  const name = project.data?.name;
  useEffect(() => {
    if (name !== undefined) {
      setTitle(name);
    }
  }, [name, setTitle]);

  return (
    <Loaded resource={project}>
      {data => (
        <div className="pj-Project">
          <PageHeader
            kind={trans.__('Project')}
            title={data.name}
            facts={<Signatures project={data} />}
            actions={
              !editing && (
                <>
                  <Button onClick={() => setEditing(true)}>{trans.__('Edit project')}</Button>
                  <Button
                    look="accept"
                    disabled={data.kpis.length === 0}
                    title={
                      data.kpis.length === 0
                        ? trans.__('There is no target to sign yet')
                        : undefined
                    }
                    onClick={() => void commands.execute(CommandIDs.signOff)}
                  >
                    {trans.__('Sign off')}
                  </Button>
                </>
              )
            }
          />
          <ChainLine steps={lifecycle.data} />
          {editing ? (
            <DefinitionForm
              project={data}
              onReload={project.reload}
              onDone={() => setEditing(false)}
            />
          ) : (
            <Tabs
              label={trans.__('Parts of the project')}
              tabs={[
                { id: 'targets', label: trans.__('Targets') },
                { id: 'audit', label: trans.__('Audit') }
              ]}
              current={tab}
              onChange={setTab}
            >
              {tab === 'audit' ? (
                <AuditList />
              ) : (
                <Targets project={data} onEdit={() => setEditing(true)} />
              )}
            </Tabs>
          )}
        </div>
      )}
    </Loaded>
  );
}

function Signatures({ project }: { project: Project }): JSX.Element {
  const trans = useTrans();
  const signed = project.sign_offs[0];
  const parts = [
    project.owner === '' ? trans.__('no owner') : trans.__('owner %1', project.owner),
    project.path === '' ? trans.__('in the root folder') : trans.__('in %1', project.path)
  ];
  return (
    <>
      {parts.join(' · ')}
      {' · '}
      {signed === undefined ? (
        trans.__('targets not signed off')
      ) : (
        <span title={signed.note}>
          {trans.__('targets signed off by %1', signed.by)} <Time at={signed.at} />
          {project.sign_offs.length > 1 &&
            ` ${trans.__('and %1 more', project.sign_offs.length - 1)}`}
        </span>
      )}
    </>
  );
}

function ChainLine({ steps }: { steps: Lifecycle | undefined }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  return (
    <Section
      title={trans.__('Chain')}
      actions={
        <Button look="link" onClick={() => void commands.execute(CommandIDs.openLineage)}>
          {trans.__('Open lineage')}
        </Button>
      }
    >
      <Chain steps={(steps?.steps ?? []).filter(step => step.step !== 'operate')} />
    </Section>
  );
}

function Targets(props: { project: Project; onEdit: () => void }): JSX.Element {
  const trans = useTrans();
  const kpis = useResource(['kpis'], ['problem', 'develop', 'monitor'], (client, signal) =>
    client.get('/kpis', { signal })
  );
  const { project, onEdit } = props;
  return (
    <>
      <Section title={trans.__('Question')}>
        {project.question === '' ? (
          <Empty action={<Button onClick={onEdit}>{trans.__('Write the question')}</Button>}>
            {trans.__('Nothing says yet which question the model is to answer, and for whom.')}
          </Empty>
        ) : (
          <p className="pj-Project-question">{project.question}</p>
        )}
      </Section>
      <Section title={trans.__('Targets')}>
        <Loaded resource={kpis}>{({ items }) => <KpiTable items={items} onEdit={onEdit} />}</Loaded>
      </Section>
    </>
  );
}

function KpiTable(props: { items: readonly KpiStatus[]; onEdit: () => void }): JSX.Element {
  const trans = useTrans();
  const openRef = useOpen();
  const open = (ref: string | null): void => {
    if (ref !== null) {
      openRef(ref);
    }
  };
  const columns: TableColumn<KpiStatus>[] = [
    {
      id: 'verdict',
      title: trans.__('Verdict'),
      help: trans.__('The best measured model against the target'),
      min: 130,
      grow: 0,
      render: row => <StateGlyph state={row.verdict} word />
    },
    {
      id: 'metric',
      title: trans.__('Metric'),
      value: row => row.kpi.metric,
      render: row => (
        <Ellipsis text={row.detail === '' ? row.kpi.metric : `${row.kpi.metric}: ${row.detail}`} />
      )
    },
    {
      id: 'on',
      title: trans.__('On'),
      help: trans.__('Dataset and split'),
      value: row => `${row.kpi.data}/${row.kpi.split}`
    },
    {
      id: 'target',
      title: trans.__('Target'),
      help: trans.__('What a model must reach before it is deployed'),
      align: 'end',
      value: row => row.kpi.target,
      render: row => (
        <span title={String(row.kpi.target)}>{`${sign(row.kpi)} ${figure(row.kpi.target)}`}</span>
      )
    },
    {
      id: 'best',
      title: trans.__('Best'),
      help: trans.__('The best value that Perijove measured, and the model that reached it'),
      align: 'end',
      min: 150,
      value: row => (row.best === null ? null : Number(row.best)),
      render: row => (
        <>
          {row.best_model !== null && <RefLink reference={row.best_model} onOpen={open} />}
          <Figure value={row.best} />
        </>
      )
    },
    {
      id: 'minimum',
      title: trans.__('Live minimum'),
      help: trans.__('What the live endpoint must hold'),
      align: 'end',
      min: 100,
      render: row =>
        row.kpi.minimum === null ? (
          NOTHING
        ) : (
          <span title={String(row.kpi.minimum)}>
            {`${sign(row.kpi)} ${figure(row.kpi.minimum)}`}
          </span>
        )
    },
    {
      id: 'live',
      title: trans.__('Live'),
      help: trans.__('The newest value of the live endpoint, from recorded outcomes'),
      align: 'end',
      min: 170,
      render: row => (
        <>
          {row.live_endpoint !== null && <RefLink reference={row.live_endpoint} onOpen={open} />}
          <Figure value={row.live} />
          {row.live !== null && <StateGlyph state={liveState(row)} />}
        </>
      )
    }
  ];
  return (
    <DataTable
      label={trans.__('Targets of the project')}
      columns={columns}
      rows={props.items}
      rowKey={row => `${row.kpi.metric}/${row.kpi.data}/${row.kpi.split}`}
      onOpen={row => open(row.best_model)}
      empty={
        <Empty
          action={
            <Button look="accept" onClick={props.onEdit}>
              {trans.__('Set a Target')}
            </Button>
          }
        >
          {trans.__('No target says yet when a model is good enough to be deployed.')}
        </Empty>
      }
    />
  );
}

function liveState(row: KpiStatus): Condition {
  return row.live_verdict;
}

/** A reference as a link, without its kind. */
function RefLink(props: { reference: string; onOpen: (ref: string) => void }): JSX.Element {
  const { reference, onOpen } = props;
  const text = reference.slice(reference.indexOf(':') + 1);
  return (
    <Badge title={reference}>
      <Button look="link" tabIndex={-1} onClick={() => onOpen(reference)}>
        {text}
      </Button>
    </Badge>
  );
}
