import type { KeyboardEvent, ReactNode } from 'react';
import { useEffect, useRef } from 'react';

import { Button } from './button';
import { useTrans } from './services';

export interface DrawerProps {
  /** What it is about, such as the name of a column. */
  title: string;
  kind?: string;
  onClose: () => void;
  /** Does not take the focus, for it follows what is selected beside it. */
  quiet?: boolean;
  /** Beside the button that closes it. */
  actions?: ReactNode;
  children: ReactNode;
}

/** Details beside a list, inside of a page; Escape puts them away. */
export function Drawer({
  title,
  kind,
  onClose,
  quiet = false,
  actions,
  children
}: DrawerProps): JSX.Element {
  const trans = useTrans();
  const node = useRef<HTMLElement>(null);
  useEffect(() => {
    if (quiet) {
      return;
    }
    const before = document.activeElement;
    node.current?.focus();
    return () => {
      // Back to the list that it was opened from, if nobody has taken the focus meanwhile.
      if (before instanceof HTMLElement && document.activeElement === document.body) {
        before.focus();
      }
    };
  }, [title, quiet]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  };
  return (
    <aside className="pj-Drawer" aria-label={title} tabIndex={-1} ref={node} onKeyDown={onKeyDown}>
      <header className="pj-Drawer-header">
        <div className="pj-Drawer-what">
          {kind !== undefined && <span className="pj-PageHeader-kind">{kind}</span>}
          <h2 className="pj-Section-title" title={title}>
            {title}
          </h2>
        </div>
        <div className="pj-Drawer-actions">
          {actions}
          <Button look="link" onClick={onClose}>
            {trans.__('Close')}
          </Button>
        </div>
      </header>
      <div className="pj-Drawer-body">{children}</div>
    </aside>
  );
}
