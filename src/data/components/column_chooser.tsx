import { useMemo, useState } from 'react';

import type { Dataset } from '../../api';
import { Button } from '../../kit/button';
import { CheckField } from '../../kit/form';
import { count } from '../../kit/format';
import { useTrans } from '../../kit/services';

export interface ColumnChooserProps {
  columns: Dataset['facts']['columns'];
  hidden: readonly string[];
  onChange: (hidden: string[]) => void;
}

/** More than these are found by typing. */
const LISTED = 200;

/** Which columns are shown. */
export function ColumnChooser({ columns, hidden, onChange }: ColumnChooserProps): JSX.Element {
  const trans = useTrans();
  const [text, setText] = useState('');
  const gone = useMemo(() => new Set(hidden), [hidden]);
  const needle = text.trim().toLowerCase();
  const found = columns.filter(({ name }) => name.toLowerCase().includes(needle));
  const left = columns.length - gone.size;
  const turn = (name: string, show: boolean): void => {
    // A table without columns is none.
    if (show || left > 1) {
      onChange(show ? hidden.filter(other => other !== name) : [...hidden, name]);
    }
  };
  const turnAll = (show: boolean): void => {
    const names = new Set(found.map(({ name }) => name));
    const rest = hidden.filter(name => !names.has(name));
    const next = show ? rest : [...rest, ...names];
    const first = columns[0]?.name;
    onChange(next.length < columns.length ? next : next.filter(name => name !== first));
  };
  return (
    <div className="pj-ColumnChooser">
      <input
        type="search"
        className="jp-mod-styled pj-Input"
        placeholder={trans.__('Find a column')}
        aria-label={trans.__('Find a column')}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <ul className="pj-ColumnChooser-list">
        {found.slice(0, LISTED).map(({ name }) => (
          <li key={name}>
            <CheckField
              label={name}
              checked={!gone.has(name)}
              onChange={show => turn(name, show)}
            />
          </li>
        ))}
      </ul>
      {found.length > LISTED && (
        <p className="pj-mod-quiet">
          {trans.__('%1 more: type a part of the name.', count(found.length - LISTED))}
        </p>
      )}
      <div className="pj-ColumnChooser-actions">
        <Button look="link" onClick={() => turnAll(true)}>
          {trans.__('Show all')}
        </Button>
        <Button look="link" onClick={() => turnAll(false)}>
          {trans.__('Hide all')}
        </Button>
      </div>
    </div>
  );
}
