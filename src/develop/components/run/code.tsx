import type { Run } from '../../../api';
import { Button } from '../../../kit/button';
import { Section } from '../../../kit/header';
import { useServices, useTrans } from '../../../kit/services';
import { Badge, KeyValue } from '../../../kit/values';
import { CommandIDs } from '../../tokens';
import { Disorders } from '../disorders';
import { Difference } from './difference';

type Cell = Run['cells'][number];

/** What made a run: its notebook and cells, what is doubtful in them, and what they ran in. */
export function CodeTab({ run }: { run: Run }): JSX.Element {
  return (
    <div className="pj-Run-scroll">
      <Origin run={run} />
      <Disorders items={run.disorder} />
      <Difference summary={run.summary} />
      <Cells run={run} />
      <Environment values={run.environment} />
    </div>
  );
}

function Origin({ run }: { run: Run }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { notebook, run_id: runId, name } = run.summary;
  const cell = run.cells.at(-1);
  return (
    <Section
      title={trans.__('What made it')}
      actions={
        <>
          {notebook !== '' && cell !== undefined && (
            <Button
              onClick={() => void commands.execute(CommandIDs.showCell, shown(notebook, cell))}
            >
              {trans.__('Open notebook at this cell')}
            </Button>
          )}
          {run.cells.length > 0 && (
            <Button
              onClick={() =>
                void commands.execute(CommandIDs.saveRunNotebook, { run_id: runId, name })
              }
            >
              {trans.__('Save as notebook')}
            </Button>
          )}
        </>
      }
    >
      <KeyValue
        items={[
          [
            trans.__('Notebook'),
            notebook === '' ? (
              <span key="notebook" className="pj-mod-quiet">
                {trans.__('not known')}
              </span>
            ) : (
              notebook
            )
          ],
          [
            trans.__('Commit'),
            run.git_commit === '' ? (
              <span key="commit" className="pj-mod-quiet">
                {trans.__('not in a git repository')}
              </span>
            ) : (
              <span key="commit">
                <code title={run.git_commit}>{run.git_commit.slice(0, 10)}</code>{' '}
                {run.git_dirty && (
                  <Badge
                    look="attention"
                    title={trans.__('There were changes that are in no commit')}
                  >
                    {trans.__('with changes')}
                  </Badge>
                )}
              </span>
            )
          ],
          [trans.__('Seed'), run.seed === null ? trans.__('none') : String(run.seed)],
          [trans.__('By'), run.tags['mlflow.user'] ?? null],
          [trans.__('Run'), <code key="id">{runId}</code>]
        ]}
      />
    </Section>
  );
}

function shown(notebook: string, cell: Cell): { notebook: string; number: number; source: string } {
  return { notebook, number: cell.number, source: cell.source };
}

function Cells({ run }: { run: Run }): JSX.Element | null {
  const trans = useTrans();
  const last = run.cells.at(-1);
  if (last === undefined) {
    return (
      <Section title={trans.__('Cells')}>
        <p className="pj-mod-quiet pj-Run-line">
          {trans.__('The code of this run was not recorded. %%train records the cells that ran.')}
        </p>
      </Section>
    );
  }
  const before = run.cells.slice(0, -1);
  return (
    <Section title={trans.__('Cells')}>
      {before.length > 0 && (
        <details className="pj-Fold">
          <summary>
            {trans._n('%1 cell that ran before it', '%1 cells that ran before it', before.length)}
          </summary>
          {before.map((cell, index) => (
            <CodeCell key={index} cell={cell} notebook={run.summary.notebook} />
          ))}
        </details>
      )}
      <CodeCell cell={last} notebook={run.summary.notebook} />
    </Section>
  );
}

function CodeCell({ cell, notebook }: { cell: Cell; notebook: string }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const number = `[${cell.number}]:`;
  return (
    <div className="pj-CodeCell">
      {notebook === '' ? (
        <span className="pj-CodeCell-number">{number}</span>
      ) : (
        <button
          type="button"
          className="pj-CodeCell-number pj-mod-opens"
          title={trans.__('Open notebook at this cell')}
          onClick={() => void commands.execute(CommandIDs.showCell, shown(notebook, cell))}
        >
          {number}
        </button>
      )}
      <pre className="pj-Code" tabIndex={0}>
        {cell.source}
      </pre>
    </div>
  );
}

function Environment({ values }: { values: Readonly<Record<string, string>> }): JSX.Element | null {
  const trans = useTrans();
  const items = Object.entries(values).sort(byName);
  if (items.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Environment')}>
      <details className="pj-Fold">
        <summary>
          {[values['python'] === undefined ? '' : `Python ${values['python']}`, values['platform']]
            .filter(Boolean)
            .join(' · ')}{' '}
          <span className="pj-Tabs-count">
            {trans._n('%1 package', '%1 packages', items.filter(([name]) => !isHead(name)).length)}
          </span>
        </summary>
        <KeyValue items={items} />
      </details>
    </Section>
  );
}

/** Python and the platform say more than any package. */
function isHead(name: string): boolean {
  return name === 'python' || name === 'platform';
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return Number(isHead(b)) - Number(isHead(a)) || a.localeCompare(b);
}
