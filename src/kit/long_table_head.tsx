import type { KeyboardEvent, PointerEvent } from 'react';
import { useEffect, useRef } from 'react';

import { classes } from './classes';
import type { SortKey } from './conditions';
import type { LongColumn } from './long_column';
import { useTrans } from './services';

const LEAST = 48;
const STEP = 16;

type Column = Omit<LongColumn<never>, 'render'>;

export interface LongTableHeadProps {
  columns: readonly Column[];
  sort: readonly SortKey[];
  onSort: (column: string, add: boolean) => void;
  /** While it is dragged, and once more when it is `done`; undefined for its own width. */
  onResize: (column: string, width: number | undefined, done: boolean) => void;
  /** Width of the box in front. */
  box: number;
  all: boolean | 'some';
  onToggleAll: () => void;
}

/** The headings, with one above for columns that stand together. */
export function LongTableHead(props: LongTableHeadProps): JSX.Element {
  const { columns, box } = props;
  const trans = useTrans();
  const check = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (check.current !== null) {
      check.current.indeterminate = props.all === 'some';
    }
  }, [props.all]);
  const groups = groupsOf(columns);
  let left = box;
  return (
    <div className="pj-LongTable-head" role="rowgroup">
      {groups.length > 0 && (
        <div className="pj-LongTable-groups" aria-hidden="true">
          {groups.map(group => (
            <span
              key={group.id}
              className={classes('pj-LongTable-group', group.fixed && 'pj-mod-fixed')}
              style={{ width: group.width + (group.first ? box : 0) }}
            >
              <span style={{ insetInlineStart: group.fixed ? 8 : fixedWidth(columns, box) + 8 }}>
                {group.goesOn ? '' : group.title}
              </span>
            </span>
          ))}
        </div>
      )}
      <div className="pj-LongTable-titles" role="row" aria-rowindex={1}>
        <span
          role="columnheader"
          className="pj-Table-box pj-mod-fixed"
          style={{ width: box, insetInlineStart: 0 }}
        >
          <input
            ref={check}
            type="checkbox"
            checked={props.all === true}
            aria-label={trans.__('Choose all')}
            onChange={props.onToggleAll}
          />
        </span>
        {columns.map(column => {
          const offset = left;
          left += column.width;
          return (
            <HeadCell
              key={column.id}
              column={column}
              offset={offset}
              sort={props.sort.find(key => key.column === column.id)}
              onSort={add => props.onSort(column.id, add)}
              onResize={(width, done) => props.onResize(column.id, width, done)}
            />
          );
        })}
      </div>
    </div>
  );
}

function HeadCell(props: {
  column: Column;
  offset: number;
  sort: SortKey | undefined;
  onSort: (add: boolean) => void;
  onResize: (width: number | undefined, done: boolean) => void;
}): JSX.Element {
  const { column, sort, onResize } = props;
  const trans = useTrans();
  const start = useRef({ x: 0, width: 0, to: 0 });
  const direction = sort === undefined ? undefined : sort.descending ? 'descending' : 'ascending';
  const title = column.help ?? column.title;
  const drag = (event: PointerEvent<HTMLElement>): number => {
    const rtl = getComputedStyle(event.currentTarget).direction === 'rtl';
    const by = (event.clientX - start.current.x) * (rtl ? -1 : 1);
    return Math.max(LEAST, Math.round(start.current.width + by));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (event.altKey && by !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      onResize(Math.max(LEAST, column.width + by), true);
    }
  };
  return (
    <span
      role="columnheader"
      className={classes(
        'pj-Table-cell',
        'pj-LongTable-title',
        column.align === 'end' && 'pj-mod-end',
        column.fixed === true && 'pj-mod-fixed'
      )}
      style={{
        width: column.width,
        ...(column.fixed === true && { insetInlineStart: props.offset })
      }}
      aria-sort={direction ?? 'none'}
      title={title}
      onKeyDown={onKeyDown}
    >
      {column.sortable === true ? (
        <button
          type="button"
          className="pj-Table-sort"
          onClick={event => props.onSort(event.shiftKey)}
        >
          <span className="pj-Ellipsis">{column.title}</span>
          {direction !== undefined && (
            <span aria-hidden="true">{direction === 'descending' ? '↓' : '↑'}</span>
          )}
        </button>
      ) : (
        <span className="pj-Ellipsis">{column.title}</span>
      )}
      <span
        className="pj-LongTable-resize"
        aria-hidden="true"
        title={trans.__(
          'Drag to change the width, double click for its own; Alt and arrows do it, too'
        )}
        onPointerDown={event => {
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = { x: event.clientX, width: column.width, to: column.width };
        }}
        onPointerMove={event => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) {
            start.current.to = drag(event);
            onResize(start.current.to, false);
          }
        }}
        onPointerUp={() => {
          if (start.current.to !== start.current.width) {
            onResize(start.current.to, true);
          }
        }}
        onDoubleClick={() => onResize(undefined, true)}
      />
    </span>
  );
}

interface Group {
  id: string;
  title: string;
  goesOn: boolean;
  width: number;
  fixed: boolean;
  first: boolean;
}

function groupsOf(columns: readonly Column[]): Group[] {
  if (columns.every(column => column.group === undefined)) {
    return [];
  }
  const groups: Group[] = [];
  for (const column of columns) {
    const last = groups.at(-1);
    const fixed = column.fixed === true;
    if (last !== undefined && last.title === (column.group ?? '') && last.fixed === fixed) {
      last.width += column.width;
    } else {
      groups.push({
        id: column.id,
        title: column.group ?? '',
        // A group that begins in what stays goes on in what is scrolled, under one heading.
        goesOn: last !== undefined && last.title === (column.group ?? ''),
        width: column.width,
        fixed,
        first: groups.length === 0
      });
    }
  }
  return groups;
}

function fixedWidth(columns: readonly Column[], box: number): number {
  return columns.reduce((sum, { fixed, width }) => (fixed === true ? sum + width : sum), box);
}
