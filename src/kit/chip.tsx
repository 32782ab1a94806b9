import type { ReactNode, RefObject } from 'react';
import { useRef } from 'react';

import { classes } from './classes';

export interface ChipProps {
  text: string;
  removal: string;
  onClick: () => void;
  onRemove: () => void;
  quiet?: boolean;
  /** A panel of the chip, and how it gives the focus back. */
  children?: (place: RefObject<HTMLElement>, focus: () => void) => ReactNode;
}

/** A condition in a rounded frame: a click changes it, the cross takes it away. */
export function Chip(props: ChipProps): JSX.Element {
  const { text, removal, onClick, onRemove, quiet = false, children } = props;
  const place = useRef<HTMLSpanElement>(null);
  const focus = (): void => place.current?.querySelector('button')?.focus();
  return (
    <span className={classes('pj-Chip', quiet && 'pj-mod-quiet')} ref={place}>
      <button type="button" className="pj-Chip-text" title={text} onClick={onClick}>
        {text}
      </button>
      <button type="button" className="pj-Chip-remove" aria-label={removal} onClick={onRemove}>
        ×
      </button>
      {children?.(place, focus)}
    </span>
  );
}
