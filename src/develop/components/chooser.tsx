import { useEffect, useRef, useState } from 'react';

import { Button } from '../../kit/button';
import { CheckField } from '../../kit/form';
import { useTrans } from '../../kit/services';

export interface ChooserProps {
  groups: readonly { title: string; items: readonly string[] }[];
  chosen: ReadonlySet<string>;
  onChange: (item: string, chosen: boolean) => void;
}

/** A button that opens a list of columns to be shown, by group. */
export function Chooser({ groups, chosen, onChange }: ChooserProps): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const close = (event: Event): void => {
      if (!(event.target instanceof Node) || frame.current?.contains(event.target) !== true) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, [open]);
  const shown = groups.filter(group => group.items.length > 0);
  return (
    <div
      className="pj-Chooser"
      ref={frame}
      onKeyDown={event => {
        if (event.key === 'Escape' && open) {
          event.stopPropagation();
          setOpen(false);
          frame.current?.querySelector('button')?.focus();
        }
      }}
    >
      <Button
        aria-expanded={open}
        aria-haspopup="true"
        disabled={shown.length === 0}
        onClick={() => setOpen(!open)}
      >
        {trans.__('Columns')}
      </Button>
      {open && (
        <div className="pj-Chooser-list" role="group" aria-label={trans.__('Columns to show')}>
          {shown.map(group => (
            <fieldset key={group.title} className="pj-Chooser-group">
              <legend>{group.title}</legend>
              {group.items.map(item => {
                const id = `${group.title} ${item}`;
                return (
                  <CheckField
                    key={id}
                    label={item}
                    checked={chosen.has(id)}
                    onChange={now => onChange(id, now)}
                  />
                );
              })}
            </fieldset>
          ))}
        </div>
      )}
    </div>
  );
}
