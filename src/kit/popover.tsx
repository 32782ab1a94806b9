import type { KeyboardEvent, ReactNode, RefObject } from 'react';
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
  return (
    <div className="pj-Popover" ref={place}>
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
        <PopoverPanel
          id={id}
          label={label}
          align={align}
          place={place}
          onClose={close}
          onLeave={() => change(false)}
        >
          {children(close)}
        </PopoverPanel>
      )}
    </div>
  );
}

export interface PopoverPanelProps {
  id?: string;
  label: string;
  align?: 'start' | 'end';
  /** What the panel belongs to: a click in it is no click elsewhere. */
  place: RefObject<HTMLElement>;
  /** Escape: give the focus back. */
  onClose: () => void;
  /** A click elsewhere: the focus is there already. */
  onLeave: () => void;
  children: ReactNode;
}

/** The panel of a popover: it takes the focus. */
export function PopoverPanel(props: PopoverPanelProps): JSX.Element {
  const { id, label, align = 'start', place, onClose, onLeave, children } = props;
  const panel = useRef<HTMLDivElement>(null);
  const leave = useRef(onLeave);
  useEffect(() => {
    leave.current = onLeave;
  });
  useEffect(() => {
    panel.current?.querySelector<HTMLElement>('input, select, textarea, button')?.focus();
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && place.current?.contains(event.target) !== true) {
        leave.current();
      }
    };
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [place]);
  return (
    <div
      id={id}
      ref={panel}
      role="dialog"
      aria-label={label}
      className={classes('pj-Popover-panel', align === 'end' && 'pj-mod-end')}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      {children}
    </div>
  );
}
