import type { ButtonHTMLAttributes, ReactNode } from 'react';

import { classes } from './classes';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /**
   * `accept` for the one main action of a place, `warn` for what cannot be undone, `plain` for the
   * rest, `link` for what stands in a line of text.
   */
  look?: 'accept' | 'warn' | 'plain' | 'link';
  /** Shows that the action runs; the button cannot be pressed meanwhile. */
  busy?: boolean;
  children: ReactNode;
}

/** A button in JupyterLab's own look. */
export function Button(props: ButtonProps): JSX.Element {
  const { look = 'plain', busy = false, className, children, disabled, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy}
      aria-busy={busy}
      className={classes(
        look === 'link' ? 'pj-Link' : 'jp-mod-styled pj-Button',
        look === 'accept' && 'jp-mod-accept',
        look === 'warn' && 'jp-mod-warn',
        look === 'plain' && 'pj-mod-plain',
        busy && 'pj-mod-busy',
        className
      )}
    >
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  /** What it does, as a verb and an object: its tooltip and its name for screen readers. */
  label: string;
  /** The `react` member of a LabIcon, or any component that draws one. */
  icon: (props: { tag?: 'span'; className?: string }) => ReactNode;
}

/** A button that is only an icon. */
export function IconButton(props: IconButtonProps): JSX.Element {
  const { label, icon: Icon, className, ...rest } = props;
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={classes('pj-IconButton', className)}
    >
      <Icon tag="span" className="pj-IconButton-icon" />
    </button>
  );
}
