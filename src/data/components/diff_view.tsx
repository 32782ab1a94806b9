import { useState } from 'react';

import type { ColumnChange, Trans, VersionDiff } from '../../api';
import { Bars } from '../../kit/bars';
import { Button } from '../../kit/button';
import { Drawer } from '../../kit/drawer';
import { Empty, Loaded } from '../../kit/feedback';
import { count, figure } from '../../kit/format';
import { useResource } from '../../kit/resource';
import { useTrans } from '../../kit/services';
import { KeyValue } from '../../kit/values';

export interface DiffViewProps {
  name: string;
  base: number;
  version: number;
  onClose: () => void;
}

/** Columns whose values are compared at a time. */
const COLUMNS = 200;

/** What is other in one version than in another: columns, rows, and how the values lie. */
export function DiffView({ name, base, version, onClose }: DiffViewProps): JSX.Element {
  const trans = useTrans();
  const [start, setStart] = useState(0);
  const diff = useResource(['diff', name, base, version, start], [], (client, signal) =>
    client.get('/datasets/{name}/diff', {
      path: { name },
      query: { base, version, start, limit: COLUMNS },
      signal
    })
  );
  return (
    <Drawer
      kind={trans.__('Difference')}
      title={trans.__('version %1 to version %2', base, version)}
      onClose={onClose}
    >
      <Loaded resource={diff}>{found => <Difference diff={found} turn={setStart} />}</Loaded>
    </Drawer>
  );
}

interface DifferenceProps {
  diff: VersionDiff;
  /** Compare the values of the columns from this one on. */
  turn: (start: number) => void;
}

function Difference({ diff, turn }: DifferenceProps): JSX.Element {
  const trans = useTrans();
  const same = diff.columns.length === 0 && diff.added === 0 && diff.removed === 0;
  if (same) {
    return <Empty>{trans.__('The two versions hold the same columns and rows.')}</Empty>;
  }
  return (
    <>
      <KeyValue
        items={[
          [
            trans.__('Rows'),
            diff.rows_before === diff.rows_after
              ? count(diff.rows_after)
              : `${count(diff.rows_before)} → ${count(diff.rows_after)}`
          ],
          [
            trans.__('Rows added'),
            diff.added === null ? trans.__('the columns differ') : count(diff.added)
          ],
          [trans.__('Rows removed'), diff.removed === null ? null : count(diff.removed)]
        ]}
      />
      {diff.columns.length > 0 && (
        <>
          <h3 className="pj-ColumnDetail-title">{trans.__('Columns')}</h3>
          <ul className="pj-Changes">
            {diff.columns.map(change => (
              <li key={`${change.column} ${change.change}`}>{changeInWords(change, trans)}</li>
            ))}
          </ul>
        </>
      )}
      {diff.common > COLUMNS && (
        <p className="pj-mod-quiet" role="status">
          {trans.__(
            'Columns %1 to %2 of %3',
            count(diff.start + 1),
            count(Math.min(diff.start + COLUMNS, diff.common)),
            count(diff.common)
          )}{' '}
          <Button disabled={diff.start === 0} onClick={() => turn(diff.start - COLUMNS)}>
            {trans.__('Previous')}
          </Button>{' '}
          <Button
            disabled={diff.start + COLUMNS >= diff.common}
            onClick={() => turn(diff.start + COLUMNS)}
          >
            {trans.__('Next')}
          </Button>
        </p>
      )}
      {diff.distributions.length > 0 && (
        <>
          <h3
            className="pj-ColumnDetail-title"
            title={trans.__('Jensen-Shannon distance: 0 is the same, 1 has nothing in common')}
          >
            {trans.__('How the values lie, most different first')}
          </h3>
          <ul className="pj-Distributions">
            {diff.distributions.map(one => (
              <li key={one.column}>
                <span className="pj-Distributions-name" title={one.column}>
                  {one.column}
                </span>
                <Bars
                  counts={one.after}
                  behind={one.before}
                  labels={one.labels.map(
                    (label, index) =>
                      `${label}: ${count(one.before[index])} → ${count(one.after[index])}`
                  )}
                  width={180}
                  height={36}
                  label={trans.__('Values of %1 before and after', one.column)}
                />
                <span title={trans.__('distance')}>{figure(one.divergence)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function changeInWords({ column, change, before, after }: ColumnChange, trans: Trans): string {
  switch (change) {
    case 'added':
      return trans.__('%1 is new (%2)', column, after);
    case 'removed':
      return trans.__('%1 is gone (was %2)', column, before);
    case 'type':
      return trans.__('%1: type %2 → %3', column, before, after);
    case 'nulls':
      return trans.__('%1: missing %2 → %3', column, before, after);
  }
}
