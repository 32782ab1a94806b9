import { useState } from 'react';

import type { CellDiff, CodeDiff, CodeLine, RunSummary, Trans } from '../../api';
import { classes } from '../../kit/classes';
import { SelectField } from '../../kit/form';
import { useTrans } from '../../kit/services';

const SIGNS: Record<CodeLine['kind'], string> = {
  same: ' ',
  removed: '−',
  added: '+',
  skipped: ''
};

/** The executed cells of runs, told from those of the first. */
export function CodeDiffs(props: {
  diffs: readonly CodeDiff[];
  runs: readonly RunSummary[];
}): JSX.Element {
  const { diffs, runs } = props;
  const trans = useTrans();
  const [chosen, setChosen] = useState('');
  const diff = diffs.find(one => one.run_id === chosen) ?? diffs[0];
  if (diff === undefined || diff.cells.length === 0) {
    return <p className="pj-mod-quiet">{trans.__('No cells were recorded for these runs.')}</p>;
  }
  const nameOf = (id: string): string =>
    runs.find(run => run.run_id === id)?.name ?? id.slice(0, 8);
  const said = (cells: number): string =>
    cells === 0
      ? trans.__('the same code')
      : trans._n('%2 cell differs', '%2 cells differ', cells, cells);
  return (
    <div className="pj-CodeDiffs">
      {diffs.length > 1 && (
        <SelectField
          bare
          label={trans.__('Run')}
          value={diff.run_id}
          options={diffs.map(one => ({
            value: one.run_id,
            label: trans.__(
              '%1 to %2: %3',
              runs[0]?.name ?? '',
              nameOf(one.run_id),
              said(one.cells.filter(cell => !cell.same).length)
            )
          }))}
          onChange={setChosen}
        />
      )}
      <CodeDiffView diff={diff} />
    </div>
  );
}

/** The cells of one run beside those of another: what was taken away, and what was added. */
export function CodeDiffView({ diff }: { diff: CodeDiff }): JSX.Element {
  const trans = useTrans();
  const changed = diff.cells.filter(cell => !cell.same);
  const same = diff.cells.length - changed.length;
  const [left, right] = diff.commit;
  return (
    <div className="pj-Diff">
      {left !== undefined && right !== undefined && (
        <p className="pj-mod-quiet pj-Diff-note">
          {trans.__('commit')} <code title={left}>{left.slice(0, 10) || '–'}</code> →{' '}
          <code title={right}>{right.slice(0, 10) || '–'}</code>
        </p>
      )}
      {changed.map((cell, index) => (
        <ChangedCell key={index} cell={cell} />
      ))}
      {same > 0 && (
        <p className="pj-mod-quiet pj-Diff-note">
          {trans._n('%1 cell is the same.', '%1 cells are the same.', same)}
        </p>
      )}
    </div>
  );
}

function ChangedCell({ cell }: { cell: CellDiff }): JSX.Element {
  const trans = useTrans();
  return (
    <figure className="pj-Diff-cell">
      <figcaption>{cellTitle(cell, trans)}</figcaption>
      <pre tabIndex={0}>
        {cell.lines.map((line, index) =>
          line.kind === 'skipped' ? (
            <div key={index} className="pj-Diff-skipped">
              {trans._n('%1 line is the same', '%1 lines are the same', Number(line.text))}
            </div>
          ) : (
            <div key={index} className={classes('pj-Diff-line', `pj-mod-${line.kind}`)}>
              <span className="pj-Diff-number" aria-hidden="true">
                {line.left ?? ''}
              </span>
              <span className="pj-Diff-number" aria-hidden="true">
                {line.right ?? ''}
              </span>
              <span className="pj-Diff-sign">{SIGNS[line.kind]}</span>
              <span className="pj-Diff-text">{line.text}</span>
            </div>
          )
        )}
      </pre>
    </figure>
  );
}

function cellTitle({ left, right }: CellDiff, trans: Trans): string {
  if (left === null) {
    return trans.__('Cell [%1], new', right ?? 0);
  }
  return right === null
    ? trans.__('Cell [%1], no longer there', left)
    : trans.__('Cell [%1] → [%2]', left, right);
}
