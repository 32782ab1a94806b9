import type { KeyboardEvent } from 'react';
import { useRef, useState } from 'react';

import type { StepEntry, StepStatus } from '../../api';
import { Button, Sparkline, StateGlyph, classes, useTrans } from '../../kit';
import { stepName } from './names';

export interface LifecycleProps {
  steps: readonly StepStatus[];
  /** The last minutes of the machine's CPU, for the row of operations. */
  load?: readonly number[];
  /** What is shown is old, for the project's file is broken. */
  stale?: boolean;
  onOpenStep: (step: StepStatus) => void;
  onOpenEntry: (entry: StepEntry) => void;
  /** The one next thing to do of a step that has not started. */
  onNext: (step: StepStatus) => void;
}

/**
 * The steps as a tree of two levels. One row is in the order of the Tab key; arrows move along
 * the rows, right and left open and close a step.
 */
export function LifecycleTree(props: LifecycleProps): JSX.Element {
  const { steps, stale = false } = props;
  const trans = useTrans();
  const tree = useRef<HTMLUListElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string>(steps[0]?.step ?? '');

  const toggle = (step: string, wanted?: boolean): void =>
    setOpen(old => {
      const next = new Set(old);
      if (wanted ?? !old.has(step)) {
        next.add(step);
      } else {
        next.delete(step);
      }
      return next;
    });

  const focus = (id: string): void => {
    setCurrent(id);
    [...(tree.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
      .find(row => row.dataset['row'] === id)
      ?.focus();
  };

  const rows = steps.flatMap((step): Row[] => [
    { id: step.step, step, entry: undefined },
    ...(open.has(step.step) ? step.entries : []).map((entry, index) => ({
      id: `${step.step}/${index}`,
      step,
      entry
    }))
  ]);
  const known = rows.some(row => row.id === current) ? current : (rows[0]?.id ?? '');

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = rows.findIndex(row => row.id === known);
    const row = rows[at];
    if (row === undefined || !(event.target as HTMLElement).hasAttribute('data-row')) {
      return;
    }
    const isStep = row.entry === undefined;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        const next = rows[at + (event.key === 'ArrowDown' ? 1 : -1)];
        if (next !== undefined) {
          focus(next.id);
        }
        break;
      }
      case 'Home':
        focus(rows[0]?.id ?? '');
        break;
      case 'End':
        focus(rows[rows.length - 1]?.id ?? '');
        break;
      case 'ArrowRight':
        if (isStep && row.step.entries.length > 0) {
          if (open.has(row.step.step)) {
            focus(`${row.step.step}/0`);
          } else {
            toggle(row.step.step, true);
          }
        }
        break;
      case 'ArrowLeft':
        if (isStep) {
          toggle(row.step.step, false);
        } else {
          focus(row.step.step);
        }
        break;
      case 'Enter':
      case ' ':
        if (row.entry === undefined) {
          props.onOpenStep(row.step);
        } else {
          props.onOpenEntry(row.entry);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    <ul
      className={classes('pj-Steps', stale && 'pj-mod-stale')}
      role="tree"
      aria-label={trans.__('Life cycle of the project')}
      ref={tree}
      onKeyDown={onKeyDown}
    >
      {steps.map((step, index) => {
        const expanded = open.has(step.step);
        return (
          <li key={step.step} role="none" className="pj-Step">
            <StepRow
              step={step}
              number={step.step === 'operate' ? undefined : index + 1}
              expanded={expanded}
              current={known === step.step}
              load={step.step === 'operate' ? props.load : undefined}
              onFocus={() => setCurrent(step.step)}
              onToggle={() => toggle(step.step)}
              onOpen={() => props.onOpenStep(step)}
              onNext={() => props.onNext(step)}
            />
            {expanded && step.entries.length > 0 && (
              <ul role="group" className="pj-Step-entries">
                {step.entries.map((entry, place) => {
                  const id = `${step.step}/${place}`;
                  return (
                    <li
                      key={`${entry.ref}/${entry.label}`}
                      role="treeitem"
                      aria-level={2}
                      data-row={id}
                      tabIndex={known === id ? 0 : -1}
                      className="pj-Step-entry"
                      title={[entry.label, entry.detail].filter(Boolean).join('\n')}
                      onFocus={() => setCurrent(id)}
                      onClick={() => props.onOpenEntry(entry)}
                    >
                      <StateGlyph state={entry.state} />
                      <span className="pj-Step-label">{entry.label}</span>
                      <span className="pj-Step-detail">{entry.detail}</span>
                    </li>
                  );
                })}
              </ul>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface Row {
  id: string;
  step: StepStatus;
  /** Undefined for the row of the step itself. */
  entry: StepEntry | undefined;
}

interface StepRowProps {
  step: StepStatus;
  number: number | undefined;
  expanded: boolean;
  current: boolean;
  load: readonly number[] | undefined;
  onFocus: () => void;
  onToggle: () => void;
  onOpen: () => void;
  onNext: () => void;
}

function StepRow(props: StepRowProps): JSX.Element {
  const { step, number, expanded, current, load } = props;
  const trans = useTrans();
  const name = stepName(step.step, trans);
  const idle = step.state === 'not_started' && step.next !== '';
  return (
    <div
      role="treeitem"
      aria-level={1}
      aria-expanded={step.entries.length === 0 ? undefined : expanded}
      data-row={step.step}
      data-step={step.step}
      tabIndex={current ? 0 : -1}
      className="pj-Step-row"
      onFocus={props.onFocus}
      onClick={props.onOpen}
    >
      {step.entries.length > 0 ? (
        <button
          type="button"
          className={classes('pj-Step-twisty', expanded && 'pj-mod-open')}
          tabIndex={-1}
          aria-hidden="true"
          title={expanded ? trans.__('Hide entries') : trans.__('Show entries')}
          onClick={event => {
            event.stopPropagation();
            props.onToggle();
          }}
        >
          <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
            <path d="M6 4l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" />
          </svg>
        </button>
      ) : (
        <span className="pj-Step-twisty" />
      )}
      <div className="pj-Step-text">
        <div className="pj-Step-head">
          <span className="pj-Step-name">
            {number !== undefined && <span className="pj-Step-number">{number}</span>}
            {name}
          </span>
          <StateGlyph state={step.state} word />
        </div>
        {idle ? (
          <Button
            className="pj-Step-next"
            tabIndex={current ? 0 : -1}
            onClick={event => {
              event.stopPropagation();
              props.onNext();
            }}
          >
            {step.next}
          </Button>
        ) : (
          step.fact !== '' && (
            <div className="pj-Step-fact" title={step.fact}>
              <span className="pj-Ellipsis">{step.fact}</span>
              {load !== undefined && load.length > 1 && (
                <Sparkline
                  values={load}
                  min={0}
                  max={100}
                  width={48}
                  height={14}
                  label={trans.__('CPU over the last minutes')}
                />
              )}
            </div>
          )
        )}
        {step.state === 'running' && step.value !== null && (
          <div className="pj-Step-progress" aria-hidden="true">
            <div style={{ width: `${Math.round(Number(step.value) * 100)}%` }} />
          </div>
        )}
      </div>
    </div>
  );
}
