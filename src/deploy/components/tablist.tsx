import { useId, useRef, type KeyboardEvent, type ReactNode } from 'react';

export interface TabListProps {
  label: string;
  tabs: readonly { id: string; label: string }[];
  selected: string;
  onSelect: (id: string) => void;
  children: ReactNode;
  /** Stands at the end of the row of tabs. */
  aside?: ReactNode;
}

/** Tabs over a panel: arrow keys move, Home and End go to the ends, one tab stop for all. */
export function TabList(props: TabListProps): JSX.Element {
  const { tabs, selected, onSelect } = props;
  const base = useId();
  const row = useRef<HTMLDivElement>(null);

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(tab => tab.id === selected);
    const rtl = getComputedStyle(event.currentTarget).direction === 'rtl';
    const steps: Record<string, number> = {
      ArrowRight: at + (rtl ? -1 : 1),
      ArrowLeft: at + (rtl ? 1 : -1),
      Home: 0,
      End: tabs.length - 1
    };
    const step = steps[event.key];
    if (step === undefined || tabs.length === 0) {
      return;
    }
    event.preventDefault();
    const next = (step + tabs.length) % tabs.length;
    onSelect(tabs[next]!.id);
    row.current?.querySelectorAll<HTMLElement>('[role="tab"]')[next]?.focus();
  };

  return (
    <div className="pj-deploy-tabs">
      <div className="pj-deploy-tabs-row">
        <div
          ref={row}
          role="tablist"
          aria-label={props.label}
          className="pj-deploy-tablist"
          onKeyDown={onKeyDown}
        >
          {tabs.map(tab => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${base}-${tab.id}`}
              aria-selected={tab.id === selected}
              aria-controls={`${base}-panel`}
              tabIndex={tab.id === selected ? 0 : -1}
              className="pj-deploy-tab"
              onClick={() => onSelect(tab.id)}
            >
              {tab.label}
            </button>
          ))}
        </div>
        {props.aside}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${selected}`}
        className="pj-deploy-tabpanel"
      >
        {props.children}
      </div>
    </div>
  );
}
