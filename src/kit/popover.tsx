import type { KeyboardEvent, ReactNode } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import { Button } from './button';
import { classes } from './classes';

export interface PopoverProps {
  /** What the button says, and what the panel is called. */
  label: string;
  /** A number behind the label, such as how many are hidden. */
  count?: number;
  /** Which edge of the button the panel keeps to. */
  align?: 'start' | 'end';
  disabled?: boolean;
  /** Open it from outside, such as for a chip that is clicked. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  /** The panel's content; `close` puts it away and gives the focus back. */
  children: (close: () => void) => ReactNode;
}

/** A button with a panel below it, which Escape and a click elsewhere put away. */
export function Popover(props: PopoverProps): JSX.Element {
  const { label, count, align = 'start', disabled = false, children, onOpenChange } = props;
  const [own, setOwn] = useState(false);
  const open = props.open ?? own;
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const change = (next: boolean): void => {
    setOwn(next);
    onOpenChange?.(next);
  };
  const close = (): void => {
    change(false);
    place.current?.querySelector<HTMLElement>(':scope > button')?.focus();
  };
  const newest = useRef(change);
  useEffect(() => {
    newest.current = change;
  });
  useEffect(() => {
    if (!open) {
      return;
    }
    const panel = place.current?.querySelector<HTMLElement>('.pj-Popover-panel');
    panel?.querySelector<HTMLElement>('input, select, textarea, button')?.focus();
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && place.current?.contains(event.target) !== true) {
        newest.current(false);
      }
    };
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [open]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      close();
    }
  };
  return (
    <div className="pj-Popover" ref={place} onKeyDown={onKeyDown}>
      <Button
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        disabled={disabled}
        onClick={() => change(!open)}
      >
        {label}
        {count !== undefined && count > 0 && <span className="pj-Tabs-count">{count}</span>}
      </Button>
      {open && (
        <div
          id={id}
          role="dialog"
          aria-label={label}
          className={classes('pj-Popover-panel', align === 'end' && 'pj-mod-end')}
        >
          {children(close)}
        </div>
      )}
    </div>
  );
}
