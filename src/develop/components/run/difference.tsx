import type { ReactNode } from 'react';

import type { ComparedRow, Comparison, RunSummary } from '../../../api';
import { Button } from '../../../kit/button';
import { Loaded } from '../../../kit/feedback';
import { Section } from '../../../kit/header';
import { useResource } from '../../../kit/resource';
import { useServices, useTrans } from '../../../kit/services';
import { Figure, Time } from '../../../kit/values';
import { previousOf } from '../../previous';
import { CommandIDs } from '../../tokens';
import { CodeDiffs } from '../code_diff';

/** So many runs of the notebook are looked through for the one before. */
const LIMIT = 200;

/** What is other in a run than in the one before it of the same notebook. */
export function Difference({ summary }: { summary: RunSummary }): JSX.Element | null {
  const { notebook, run_id: runId } = summary;
  const trans = useTrans();
  const runs = useResource(
    ['runs', notebook, LIMIT],
    ['develop'],
    (client, signal) => client.get('/runs', { query: { notebook, limit: LIMIT }, signal }),
    { enabled: notebook !== '' }
  );
  if (notebook === '') {
    return null;
  }
  return (
    <Section title={trans.__('Difference to the run before')}>
      <Loaded resource={runs}>
        {({ items }) => {
          const before = previousOf(summary, items);
          return before === undefined ? (
            <p className="pj-mod-quiet pj-Run-line">
              {trans.__('This is the first run of its notebook.')}
            </p>
          ) : (
            <Compared before={before} runId={runId} />
          );
        }}
      </Loaded>
    </Section>
  );
}

function Compared({ before, runId }: { before: RunSummary; runId: string }): JSX.Element {
  const { commands } = useServices();
  const found = useResource(['compare', before.run_id, runId], ['develop'], (client, signal) =>
    client.post('/runs/compare', { body: { run_ids: [before.run_id, runId] }, signal })
  );
  return (
    <>
      <p className="pj-Run-line pj-Run-before">
        <Button
          look="link"
          onClick={() =>
            void commands.execute(CommandIDs.openRun, { run_id: before.run_id, name: before.name })
          }
        >
          {before.name}
        </Button>{' '}
        <span className="pj-mod-quiet">
          <Time at={before.started} />
        </span>
      </p>
      <Loaded resource={found}>{comparison => <Changes comparison={comparison} />}</Loaded>
    </>
  );
}

function Changes({ comparison }: { comparison: Comparison }): JSX.Element {
  const trans = useTrans();
  const { params, environment, data, code, runs } = comparison;
  const parts = [
    rows(trans.__('Parameters'), params),
    rows(
      trans.__('Data'),
      data.map(one => ({
        key: one.name,
        values: one.versions.map(version => (version === null ? null : `v${version}`)),
        differs: one.differs
      }))
    )
  ].filter(part => part !== null);
  const packages = environment.filter(row => row.differs);
  const changed = code.some(({ cells }) => cells.some(cell => !cell.same));
  if (parts.length === 0 && packages.length === 0 && !changed) {
    return (
      <p className="pj-mod-quiet pj-Run-line">
        {trans.__('The same code, parameters, data and environment.')}
      </p>
    );
  }
  return (
    <>
      {parts}
      {changed && (
        <>
          <h3 className="pj-Run-part">{trans.__('Code')}</h3>
          <CodeDiffs diffs={code} runs={runs} />
        </>
      )}
      {packages.length > 0 && (
        <details className="pj-Fold">
          <summary>
            {trans.__('Environment')} <span className="pj-Tabs-count">{packages.length}</span>
          </summary>
          <Rows items={packages} />
        </details>
      )}
    </>
  );
}

/** What differs of one kind, as `name before → after`. */
function rows(title: string, all: readonly ComparedRow[]): ReactNode {
  const differing = all.filter(row => row.differs);
  if (differing.length === 0) {
    return null;
  }
  return (
    <div key={title}>
      <h3 className="pj-Run-part">{title}</h3>
      <Rows items={differing} />
    </div>
  );
}

function Rows({ items }: { items: readonly ComparedRow[] }): JSX.Element {
  return (
    <ul className="pj-Run-changes">
      {items.map(({ key, values: [left, right] }) => (
        <li key={key}>
          <span className="pj-Run-changed">{key}</span>
          <span>
            <Value value={left} /> → <Value value={right} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Value({ value }: { value: ComparedRow['values'][number] | undefined }): JSX.Element {
  return typeof value === 'number' ? (
    <Figure value={value} />
  ) : (
    <span title={value ?? ''}>{value ?? '–'}</span>
  );
}
