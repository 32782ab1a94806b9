import { useState } from 'react';

import type { CodeDiff, RunSummary } from '../../api';
import { SelectField } from '../../kit/form';
import { useTrans } from '../../kit/services';
import { CodeDiffView } from './code_diff';

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
