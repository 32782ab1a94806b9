import type { KeyboardEvent, ReactNode } from 'react';
import { useId, useRef } from 'react';

import { classes } from './classes';

export interface Tab {
  id: string;
  label: string;
  /** A number behind the label. */
  count?: number;
}

export interface TabsProps {
  label: string;
  tabs: readonly Tab[];
  current: string;
  onChange: (id: string) => void;
  /** The content of the current tab. */
  children: ReactNode;
}

/** Tabs inside of a page: arrows, Home and End move between them. */
export function Tabs({ label, tabs, current, onChange, children }: TabsProps): JSX.Element {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(tab => tab.id === current);
    const next = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    }[event.key];
    const tab = next === undefined ? undefined : tabs[next];
    if (next !== undefined && tab !== undefined) {
      event.preventDefault();
      onChange(tab.id);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    }
  };
  return (
    <div className="pj-Tabs">
      <div className="pj-Tabs-list" role="tablist" aria-label={label} ref={list}>
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={tab.id === current}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === current ? 0 : -1}
            className={classes('pj-Tabs-tab', tab.id === current && 'pj-mod-current')}
            onClick={() => onChange(tab.id)}
            onKeyDown={onKeyDown}
          >
            {tab.label}
            {tab.count !== undefined && <span className="pj-Tabs-count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div
        className="pj-Tabs-panel"
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${current}`}
      >
        {children}
      </div>
    </div>
  );
}
