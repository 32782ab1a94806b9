import { useMemo } from 'react';

import type { Edge, Node, RunSummary } from '../../api';
import { Empty, Loaded } from '../../kit/feedback';
import { figure } from '../../kit/format';
import { JobProgress, isActive, useJobs } from '../../kit/job';
import { useOpen } from '../../kit/open';
import { RefLink } from '../../kit/ref';
import { useResource } from '../../kit/resource';
import { useServices, useSignal, useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { Ellipsis, Time } from '../../kit/values';
import { Button } from '../../kit/button';
import { useLiveRuns } from '../live';
import type { CurrentNotebook } from '../notebook';
import { aroundRuns } from '../around';
import { mainTarget } from '../target';
import { CommandIDs } from '../tokens';
import { RunName } from './columns';
import { Disorders } from './disorders';
import { VerdictBadge } from './verdict';

/** So many runs are listed; the page of runs has the rest. */
const SHOWN = 12;

const NONE: ReadonlySet<string> = new Set();

/** The runs of the notebook that the user is in, the data it read, and what came of it. */
export default function NotebookPanel(props: { notebook: CurrentNotebook }): JSX.Element {
  const { notebook } = props;
  const { project } = useServices();
  const trans = useTrans();
  const path = useSignal(notebook.changed, () => notebook.path);
  const name = useSignal(project.changed, () => project.name);
  if (path === null) {
    return (
      <Empty>
        {name === ''
          ? trans.__('Open a notebook of a project to see its runs here.')
          : trans.__('Open a notebook of the project %1 to see its runs here.', name)}
      </Empty>
    );
  }
  return (
    <>
      <h2 className="pj-Notebook-title" title={path}>
        {path.split('/').at(-1)}
      </h2>
      <OfNotebook key={path} path={path} />
    </>
  );
}

function OfNotebook({ path }: { path: string }): JSX.Element {
  const trans = useTrans();
  const runs = useResource(['runs', path, SHOWN], ['develop', 'deploy'], (client, signal) =>
    client.get('/runs', { query: { notebook: path, limit: SHOWN }, signal })
  );
  const lineage = useResource(['lineage'], ['data', 'develop', 'deploy'], (client, signal) =>
    client.get('/lineage', { signal })
  );
  return (
    <Loaded resource={runs}>
      {({ items, total }) =>
        items.length === 0 ? (
          <Empty>
            {trans.__(
              'No run of this notebook is tracked yet: put %%train at the head of the cell that trains a model, and run it.'
            )}
          </Empty>
        ) : (
          <>
            <NewestDisorder run={items[0]!} />
            <Runs items={items} total={total} />
            <Jobs path={path} />
            {lineage.data !== undefined && (
              <Around path={path} nodes={lineage.data.nodes} edges={lineage.data.edges} />
            )}
          </>
        )
      }
    </Loaded>
  );
}

/** Why the newest run might not do the same again: the notebook is as that run found it. */
function NewestDisorder({ run }: { run: RunSummary }): JSX.Element | null {
  const found = useResource(
    ['run', run.run_id],
    ['develop', 'deploy', 'operate'],
    (client, signal) => client.get('/runs/{run_id}', { path: { run_id: run.run_id }, signal })
  );
  return found.data === undefined ? null : <Disorders items={found.data.disorder} of={run.name} />;
}

/** So many jobs are listed; the Operate page has the rest. */
const JOBS = 5;

/** What was sent to the background from the notebook: what goes on, then what ended last. */
function Jobs({ path }: { path: string }): JSX.Element | null {
  const trans = useTrans();
  const open = useOpen();
  const jobs = useJobs();
  const own = (jobs.data?.items ?? [])
    .filter(job => job.notebook === path)
    .sort((a, b) => Number(isActive(b)) - Number(isActive(a)) || b.created - a.created);
  if (own.length === 0) {
    return null;
  }
  return (
    <section className="pj-Notebook-part" aria-label={trans.__('Jobs')}>
      <h3>{trans.__('Jobs')}</h3>
      <ul className="pj-Notebook-runs">
        {own.slice(0, JOBS).map(job => (
          <li key={job.id}>
            <button type="button" className="pj-Notebook-job" onClick={() => open(`job:${job.id}`)}>
              <StateGlyph state={job.state} />
              <Ellipsis text={job.title} />
              {isActive(job) ? <JobProgress job={job} /> : <Time at={job.ended ?? job.created} />}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Runs({ items, total }: { items: readonly RunSummary[]; total: number }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const project = useResource(['project'], ['problem'], (client, signal) =>
    client.get('/project', { signal })
  );
  const { runs } = useLiveRuns(items, NONE);
  const kpis = project.data?.kpis ?? [];
  return (
    <section className="pj-Notebook-part" aria-label={trans.__('Runs')}>
      <h3>
        {trans.__('Runs')}
        {total > items.length && (
          <Button look="link" onClick={() => void commands.execute(CommandIDs.open)}>
            {trans.__('all %1', total)}
          </Button>
        )}
      </h3>
      <ul className="pj-Notebook-runs">
        {runs.map(run => {
          const target = mainTarget(run, kpis);
          return (
            <li key={run.run_id}>
              <button
                type="button"
                className="pj-Notebook-run"
                onClick={() =>
                  void commands.execute(CommandIDs.openRun, { run_id: run.run_id, name: run.name })
                }
              >
                <RunName run={run} plain />
                {target !== null && (
                  <span className="pj-Notebook-figure" title={target.metric}>
                    {figure(target.value)}
                  </span>
                )}
                <VerdictBadge run={run} word={false} />
                <Time at={run.started} />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Around(props: {
  path: string;
  nodes: readonly Node[];
  edges: readonly Edge[];
}): JSX.Element {
  const { path, nodes, edges } = props;
  const trans = useTrans();
  const around = useMemo(() => aroundRuns(path, nodes, edges), [path, nodes, edges]);
  const part = (title: string, found: readonly Node[], none: string): JSX.Element => (
    <section className="pj-Notebook-part" aria-label={title}>
      <h3>{title}</h3>
      {found.length === 0 ? (
        <p className="pj-mod-quiet">{none}</p>
      ) : (
        <ul className="pj-Notebook-refs">
          {found.map(node => (
            <li key={node.ref}>
              <RefLink of={node.ref} />
              <Time at={node.at} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
  return (
    <>
      {part(trans.__('Data read'), around.data, trans.__('None that is registered'))}
      {part(trans.__('Models made'), around.models, trans.__('None yet'))}
      {part(trans.__('Endpoints'), around.endpoints, trans.__('None yet'))}
    </>
  );
}
