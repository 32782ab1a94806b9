import type { KeyboardEvent } from 'react';
import { useEffect, useRef, useState } from 'react';

import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { useServices, useTrans } from '../../kit/services';

export interface Place {
  row: number;
  column: string;
}

export interface FindBarProps {
  name: string;
  version: number;
  /** The view's id; empty for the version's own order. */
  view: string;
  columns: readonly string[];
  /** Where the cursor is: the search goes on from here. */
  from: Place | null;
  onFound: (place: Place) => void;
  onClose: () => void;
}

/** Find the next cell that holds a text, over all rows of the view. */
export function FindBar(props: FindBarProps): JSX.Element {
  const { name, version, view, columns, from, onFound, onClose } = props;
  const { client } = useServices();
  const trans = useTrans();
  const [text, setText] = useState('');
  const [exact, setExact] = useState(false);
  const [none, setNone] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const find = useAction(async (backwards: boolean) => {
    const found = await client.post('/datasets/{name}/find', {
      path: { name },
      body: {
        text,
        version,
        view,
        columns: [...columns],
        row: from?.row ?? 0,
        column: from?.column ?? '',
        backwards,
        case: exact
      }
    });
    setNone(found.row === null);
    if (found.row !== null) {
      onFound({ row: found.row, column: found.column });
    }
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && text !== '') {
      event.preventDefault();
      void find.run(event.shiftKey);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  };
  return (
    <div className="pj-FindBar" role="search" onKeyDown={onKeyDown}>
      <input
        ref={input}
        type="search"
        className="jp-mod-styled pj-Input"
        placeholder={trans.__('Find in all rows')}
        aria-label={trans.__('Find in all rows')}
        value={text}
        onChange={event => {
          setText(event.target.value);
          setNone(false);
        }}
      />
      <label className="pj-Check">
        <input type="checkbox" checked={exact} onChange={event => setExact(event.target.checked)} />
        <span>{trans.__('Match case')}</span>
      </label>
      <Button disabled={text === ''} busy={find.busy} onClick={() => void find.run(true)}>
        {trans.__('Previous')}
      </Button>
      <Button disabled={text === ''} busy={find.busy} onClick={() => void find.run(false)}>
        {trans.__('Next')}
      </Button>
      <span className="pj-mod-quiet" role="status">
        {find.error !== undefined
          ? find.error.message
          : none
            ? trans.__('No cell holds this text.')
            : ''}
      </span>
      <Button look="link" onClick={onClose}>
        {trans.__('Close')}
      </Button>
    </div>
  );
}
