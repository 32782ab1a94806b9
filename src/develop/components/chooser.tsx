import { useMemo, useState } from 'react';

import type { RunColumn } from '../../api';
import { Button } from '../../kit/button';
import { CheckField } from '../../kit/form';
import { count } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { isOwnTag, partsOf, TAGS, type ColumnKind } from '../look';
import { columnTitle, kindTitle } from '../names';

export interface ChooserProps {
  columns: readonly RunColumn[];
  shown: ReadonlySet<string>;
  onChange: (columns: readonly string[], shown: boolean) => void;
  /** Shows again what is shown when nobody chooses. */
  onReset: () => void;
}

const KINDS: readonly ColumnKind[] = ['metrics', 'params', 'tags', 'attributes'];
/** More of a kind than these are found by typing. */
const LISTED = 60;

/** Which columns are shown: those that tell runs apart first. */
export function Chooser({ columns, shown, onChange, onReset }: ChooserProps): JSX.Element {
  const trans = useTrans();
  const [text, setText] = useState('');
  const needle = text.trim().toLowerCase();
  const groups = useMemo(() => {
    const found = columns.filter(
      ({ column }) => column !== 'attributes.run_name' && column.toLowerCase().includes(needle)
    );
    return KINDS.map(kind => {
      const items = found
        .filter(({ column }) => partsOf(column).kind === kind)
        .sort((a, b) => Number(b.telling) - Number(a.telling));
      const together =
        kind === 'tags' && needle === '' && items.some(({ column }) => isOwnTag(column));
      return { kind, items, together };
    }).filter(({ items }) => items.length > 0);
  }, [columns, needle]);
  return (
    <div className="pj-Chooser">
      <input
        type="search"
        className="jp-mod-styled pj-Input"
        placeholder={trans.__('Find a column')}
        aria-label={trans.__('Find a column')}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <div className="pj-Chooser-list">
        {groups.map(({ kind, items, together }) => (
          <fieldset key={kind} className="pj-Chooser-group">
            <legend>
              {kindTitle(kind, trans)}
              {needle !== '' && items.length <= LISTED && (
                <Button
                  look="link"
                  onClick={() =>
                    onChange(
                      items.map(({ column }) => column),
                      true
                    )
                  }
                >
                  {trans.__('Show these')}
                </Button>
              )}
            </legend>
            {together && (
              <CheckField
                label={trans.__('All tags in one column')}
                checked={shown.has(TAGS)}
                onChange={on => onChange([TAGS], on)}
              />
            )}
            {items.slice(0, LISTED).map(({ column, telling, runs }) => (
              <div key={column} className={telling ? undefined : 'pj-mod-same'}>
                <CheckField
                  label={columnTitle(column, trans)}
                  checked={shown.has(column)}
                  onChange={on => onChange([column], on)}
                />
                <span
                  className="pj-Tabs-count"
                  title={
                    telling
                      ? trans.__('%1 runs have it', count(runs))
                      : trans.__('%1 runs have it, all the same', count(runs))
                  }
                >
                  {count(runs)}
                </span>
              </div>
            ))}
            {items.length > LISTED && (
              <p className="pj-mod-quiet">
                {trans.__('%1 more: type a part of the name.', count(items.length - LISTED))}
              </p>
            )}
          </fieldset>
        ))}
        {groups.length === 0 && (
          <p className="pj-mod-quiet">{trans.__('There is no column %1.', text.trim())}</p>
        )}
      </div>
      <Button look="link" onClick={onReset}>
        {trans.__('Show what tells runs apart')}
      </Button>
    </div>
  );
}
