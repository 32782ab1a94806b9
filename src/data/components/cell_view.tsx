import { Clipboard } from '@jupyterlab/apputils';
import { useState } from 'react';

import { Button } from '../../kit/button';
import { Loaded } from '../../kit/feedback';
import { bytes, count } from '../../kit/format';
import { useResource } from '../../kit/resource';
import { useTrans } from '../../kit/services';
import type { ICursor } from '../rows/grid';

export interface CellViewProps {
  name: string;
  version: number;
  view: string;
  cursor: ICursor;
}

/** A page cuts values longer than this many characters. */
export const CUT = 1000;

/** The cell under the cursor, in the status line; a long value whole, on demand. */
export function CellView({ name, version, view, cursor }: CellViewProps): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState('');
  const place = `${view}/${cursor.row}/${cursor.column}`;
  const long = cursor.value.length >= CUT;
  return (
    <span className="pj-Rows-cursor" aria-live="polite">
      <span className="pj-Rows-cell">
        {trans.__('row %1 · %2', count(cursor.row), cursor.column)}
      </span>
      <code title={cursor.shown.slice(0, CUT)}>{cursor.shown.slice(0, CUT)}</code>
      {long && (
        <Button look="link" onClick={() => setOpen(open === place ? '' : place)}>
          {open === place ? trans.__('Close') : trans.__('Show all of it')}
        </Button>
      )}
      {long && open === place && (
        <WholeCell
          key={place}
          name={name}
          version={version}
          view={view}
          row={cursor.row - 1}
          column={cursor.column}
        />
      )}
    </span>
  );
}

function WholeCell(props: {
  name: string;
  version: number;
  view: string;
  row: number;
  column: string;
}): JSX.Element {
  const { name, version, view, row, column } = props;
  const trans = useTrans();
  const cell = useResource(['cell', name, version, view, row, column], [], (client, signal) =>
    client.get('/datasets/{name}/cell', {
      path: { name },
      query: { version, view, row, column },
      signal
    })
  );
  return (
    <div className="pj-WholeCell" role="dialog" aria-label={trans.__('Whole value of %1', column)}>
      <Loaded resource={cell}>
        {({ text, bytes: size }) => (
          <>
            <pre className="pj-Code" tabIndex={0}>
              {text}
            </pre>
            <div className="pj-WholeCell-actions">
              <span className="pj-mod-quiet">{bytes(size)}</span>
              <Button onClick={() => Clipboard.copyToSystem(text)}>{trans.__('Copy')}</Button>
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}
