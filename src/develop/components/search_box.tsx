import type { KeyboardEvent, RefObject } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import { classes } from '../../kit/classes';
import { useTrans } from '../../kit/services';
import { complete, type Completion } from '../completion';

export interface SearchBoxProps {
  value: string;
  onSearch: (text: string) => void;
  /** Why the words cannot be followed. */
  fault: string;
  columns: readonly string[];
  box: RefObject<HTMLInputElement>;
}

/** Milliseconds after the last key until it is searched. */
const PAUSE = 250;

/** Plain words, or MLflow's filter words with completion of names. */
export function SearchBox({ value, onSearch, fault, columns, box }: SearchBoxProps): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const [text, setText] = useState(value);
  const [offer, setOffer] = useState<Completion | null>(null);
  const [at, setAt] = useState(-1);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (words: string, now: boolean): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(words.trim()), now ? 0 : PAUSE);
  };
  const change = (words: string, caret: number): void => {
    setText(words);
    setOffer(complete(words, caret, columns));
    setAt(-1);
    search(words, false);
  };
  const accept = (index: number): void => {
    const name = offer?.names[index];
    if (offer === null || name === undefined) {
      return;
    }
    const words = `${text.slice(0, offer.start)}${name} ${text.slice(offer.end).trimStart()}`;
    const caret = offer.start + name.length + 1;
    setText(words);
    setOffer(null);
    setAt(-1);
    search(words, false);
    const input = box.current;
    if (input !== null) {
      input.focus();
      // The caret can be set when the text is there.
      requestAnimationFrame(() => input.setSelectionRange(caret, caret));
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const names = offer?.names ?? [];
    if (names.length > 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const by = event.key === 'ArrowDown' ? 1 : -1;
      setAt(Math.max(-1, Math.min(names.length - 1, at + by)));
    } else if (names.length > 0 && (event.key === 'Tab' || (event.key === 'Enter' && at >= 0))) {
      event.preventDefault();
      accept(Math.max(0, at));
    } else if (event.key === 'Enter') {
      setOffer(null);
      search(event.currentTarget.value, true);
    } else if (event.key === 'Escape' && (offer !== null || text !== '')) {
      event.stopPropagation();
      if (offer !== null) {
        setOffer(null);
      } else {
        change('', 0);
      }
    }
  };
  return (
    <div className="pj-SearchBox">
      <input
        ref={box}
        type="search"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        className={classes('jp-mod-styled pj-Input', fault !== '' && 'pj-mod-invalid')}
        placeholder={trans.__('Search: a name, or metrics.auc > 0.7 and params.kind = "hgb"')}
        aria-label={trans.__('Search runs')}
        aria-expanded={offer !== null}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        aria-invalid={fault !== ''}
        aria-describedby={fault === '' ? undefined : `${id}-fault`}
        value={text}
        onChange={event =>
          change(event.target.value, event.target.selectionStart ?? event.target.value.length)
        }
        onKeyDown={onKeyDown}
        onBlur={() => setOffer(null)}
      />
      {offer !== null && (
        <ul className="pj-SearchBox-list" id={`${id}-list`} role="listbox">
          {offer.names.map((name, index) => (
            <li
              key={name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              className={classes('pj-SearchBox-option', index === at && 'pj-mod-current')}
              onPointerDown={event => {
                event.preventDefault();
                accept(index);
              }}
            >
              {name}
            </li>
          ))}
        </ul>
      )}
      {fault !== '' && offer === null && (
        <p className="pj-SearchBox-fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
