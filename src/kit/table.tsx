import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useState } from 'react';

import { classes } from './classes';
import { useTrans } from './services';

/** Height of a row in pixels, as `--pj-row-height` says it. */
const ROW = 28;
const OVERSCAN = 8;

export interface TableColumn<Row> {
  id: string;
  title: string;
  /** Explains the title on hover. */
  help?: string;
  /** What the cell shows; the value as text when left out. */
  render?: (row: Row) => ReactNode;
  /** What rows are sorted by. A column without it cannot be sorted. */
  value?: (row: Row) => string | number | null;
  /** Numbers stand at the end. */
  align?: 'start' | 'end';
  /** Least width in pixels, 80 when left out. */
  min?: number;
  /** Share of the width that is left, 1 when left out; 0 for a fixed width. */
  grow?: number;
}

export interface TableSort {
  column: string;
  descending: boolean;
}

export interface DataTableProps<Row> {
  /** What is listed, for screen readers. */
  label: string;
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** What a row is called, for screen readers; its first word when left out. */
  rowLabel?: (row: Row) => string;
  /** Enter, or a double click where rows can be chosen; else a click. */
  onOpen?: (row: Row) => void;
  /** Keys of the chosen rows, with a box in front of each row; Space changes it. */
  selected?: ReadonlySet<string>;
  onToggle?: (row: Row) => void;
  /** The colour of a chosen row's box, such as that of its curve. */
  swatch?: (row: Row) => string;
  /** A key that the table does not know, on the current row. Return true when it was used. */
  onKey?: (key: string, row: Row) => boolean;
  rowClass?: (row: Row) => string | undefined;
  sort?: TableSort;
  /** Rows before it scrolls; `fill` takes the height of what holds the table. */
  height?: number | 'fill';
  /** What stands there when there are no rows. */
  empty?: ReactNode;
}

/**
 * A table of rows of equal height, of which only those in view are in the page.
 *
 * The focus is on the table; arrows, Page Up/Down, Home and End move the current row.
 */
export function DataTable<Row>(props: DataTableProps<Row>): JSX.Element {
  const { columns, rows, rowKey, onOpen, onToggle, selected, height = 12 } = props;
  const trans = useTrans();
  const id = useId();
  // As state, for the table is in the page only while it has rows.
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const [sort, setSort] = useState<TableSort | undefined>(props.sort);
  const [current, setCurrent] = useState<string>();
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const { first, last, measure } = useWindow(scroller, sorted.length, height);
  const at = current === undefined ? -1 : sorted.findIndex(row => rowKey(row) === current);

  const moveTo = (index: number): void => {
    const row = sorted[Math.max(0, Math.min(sorted.length - 1, index))];
    if (row === undefined) {
      return;
    }
    setCurrent(rowKey(row));
    const node = scroller;
    if (node !== null) {
      const top = sorted.indexOf(row) * ROW;
      const room = node.clientHeight - ROW;
      if (top < node.scrollTop) {
        node.scrollTop = top;
      } else if (room > 0 && top + ROW > node.scrollTop + room) {
        node.scrollTop = top + ROW - room;
      }
      measure();
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const page = Math.max(1, last - first - 2 * OVERSCAN);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: sorted.length - 1
    }[event.key];
    if (target !== undefined) {
      event.preventDefault();
      moveTo(target);
      return;
    }
    const row = sorted[at];
    if (row === undefined) {
      return;
    }
    if (event.key === ' ' && onToggle !== undefined) {
      event.preventDefault();
      onToggle(row);
    } else if (event.key === 'Enter' && onOpen !== undefined) {
      event.preventDefault();
      onOpen(row);
    } else if (props.onKey?.(event.key, row) === true) {
      event.preventDefault();
    }
  };

  if (rows.length === 0 && props.empty !== undefined) {
    return <>{props.empty}</>;
  }

  const choosing = onToggle !== undefined;
  const tracks = columns.map(track).join(' ');
  const template = choosing ? `28px ${tracks}` : tracks;
  const minWidth = columns.reduce((sum, column) => sum + (column.min ?? 80), choosing ? 28 : 0);
  const body =
    height === 'fill' ? undefined : (Math.min(height, Math.max(1, sorted.length)) + 1) * ROW + 2;

  return (
    <div
      className={classes('pj-Table', height === 'fill' && 'pj-mod-fill')}
      role="grid"
      aria-label={props.label}
      aria-rowcount={sorted.length + 1}
      aria-multiselectable={choosing || undefined}
      aria-activedescendant={at < 0 ? undefined : `${id}-${at}`}
      tabIndex={0}
      ref={setScroller}
      style={body === undefined ? undefined : { height: body }}
      onKeyDown={onKeyDown}
      onFocus={event => {
        if (event.target === event.currentTarget && at < 0 && sorted.length > 0) {
          moveTo(first);
        }
      }}
      onScroll={measure}
    >
      <div className="pj-Table-inner" style={{ minWidth }}>
        <div
          className="pj-Table-head"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: template }}
        >
          {choosing && (
            <span role="columnheader" className="pj-Table-box">
              <span className="pj-visually-hidden">{trans.__('Chosen')}</span>
            </span>
          )}
          {columns.map(column => (
            <HeadCell
              key={column.id}
              column={column}
              sort={sort?.column === column.id ? sort : undefined}
              onSort={() => setSort(nextSort(column, sort, rows))}
            />
          ))}
        </div>
        <div style={{ height: first * ROW }} />
        {sorted.slice(first, last).map((row, offset) => {
          const key = rowKey(row);
          const index = first + offset;
          const chosen = selected?.has(key) === true;
          return (
            <div
              key={key}
              id={`${id}-${index}`}
              className={classes(
                'pj-Table-row',
                index === at && 'pj-mod-current',
                chosen && 'pj-mod-chosen',
                onOpen !== undefined && 'pj-mod-opens',
                props.rowClass?.(row)
              )}
              role="row"
              aria-rowindex={index + 2}
              aria-selected={choosing ? chosen : index === at}
              style={{ gridTemplateColumns: template }}
              onClick={event => {
                setCurrent(key);
                if (!choosing && !onControl(event)) {
                  onOpen?.(row);
                }
              }}
              onDoubleClick={event => {
                if (choosing && !onControl(event)) {
                  onOpen?.(row);
                }
              }}
            >
              {choosing && (
                <span role="gridcell" className="pj-Table-box">
                  <input
                    type="checkbox"
                    tabIndex={-1}
                    checked={chosen}
                    aria-label={trans.__(
                      'Choose %1',
                      props.rowLabel?.(row) ?? wordOf(columns, row) ?? key
                    )}
                    style={chosen ? { accentColor: props.swatch?.(row) } : undefined}
                    onChange={() => onToggle(row)}
                  />
                </span>
              )}
              {columns.map(column => (
                <span
                  key={column.id}
                  role="gridcell"
                  className={classes('pj-Table-cell', column.align === 'end' && 'pj-mod-end')}
                >
                  {cell(column, row)}
                </span>
              ))}
            </div>
          );
        })}
        <div style={{ height: (sorted.length - last) * ROW }} />
      </div>
    </div>
  );
}

function HeadCell<Row>(props: {
  column: TableColumn<Row>;
  sort: TableSort | undefined;
  onSort: () => void;
}): JSX.Element {
  const { column, sort, onSort } = props;
  const direction = sort === undefined ? undefined : sort.descending ? 'descending' : 'ascending';
  const look = classes('pj-Table-cell', column.align === 'end' && 'pj-mod-end');
  const title = column.help ?? column.title;
  if (column.value === undefined) {
    return (
      <span role="columnheader" className={look} title={title}>
        {column.title}
      </span>
    );
  }
  return (
    <span role="columnheader" className={look} aria-sort={direction ?? 'none'}>
      <button type="button" className="pj-Table-sort" title={title} onClick={onSort}>
        <span className="pj-Ellipsis">{column.title}</span>
        {direction !== undefined && (
          <span aria-hidden="true">{direction === 'descending' ? '↓' : '↑'}</span>
        )}
      </button>
    </span>
  );
}

/** The rows in view, from `first` up to before `last`. */
function useWindow(
  node: HTMLDivElement | null,
  total: number,
  height: number | 'fill'
): { first: number; last: number; measure: () => void } {
  const [view, setView] = useState({ top: 0, rows: height === 'fill' ? 40 : height });
  const measure = useCallback((): void => {
    if (node === null) {
      return;
    }
    const rows = Math.ceil(node.clientHeight / ROW) || (height === 'fill' ? 40 : height);
    const top = Math.floor(node.scrollTop / ROW);
    setView(old => (old.top === top && old.rows === rows ? old : { top, rows }));
  }, [node, height]);
  // Another number of rows moves the scroll position; the observer tells of another size.
  useLayoutEffect(measure, [measure, total]);
  useEffect(() => {
    if (node === null) {
      return;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [node, measure]);
  const first = Math.max(0, Math.min(view.top - OVERSCAN, total - view.rows));
  return { first, last: Math.min(total, view.top + view.rows + OVERSCAN), measure };
}

function track<Row>(column: TableColumn<Row>): string {
  const min = column.min ?? 80;
  const grow = column.grow ?? 1;
  return grow === 0 ? `${min}px` : `minmax(${min}px, ${grow}fr)`;
}

function cell<Row>(column: TableColumn<Row>, row: Row): ReactNode {
  if (column.render !== undefined) {
    return column.render(row);
  }
  const text = String(column.value?.(row) ?? '');
  return (
    <span className="pj-Ellipsis" title={text}>
      {text}
    </span>
  );
}

/** The first word that a row says. */
function wordOf<Row>(columns: readonly TableColumn<Row>[], row: Row): string | undefined {
  return columns
    .map(column => column.value?.(row))
    .find((value): value is string => typeof value === 'string' && value !== '');
}

/** A click on a button or a link in a row is not a click on the row. */
function onControl(event: MouseEvent): boolean {
  return event.target instanceof Element && event.target.closest('button, a, input') !== null;
}

/** Numbers start at their largest, words at the beginning of the alphabet; then back and off. */
function nextSort<Row>(
  column: TableColumn<Row>,
  sort: TableSort | undefined,
  rows: readonly Row[]
): TableSort | undefined {
  const numbers = rows.some(row => typeof column.value?.(row) === 'number');
  if (sort?.column !== column.id) {
    return { column: column.id, descending: numbers };
  }
  return sort.descending === numbers ? { column: column.id, descending: !numbers } : undefined;
}

function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly TableColumn<Row>[],
  sort: TableSort | undefined
): readonly Row[] {
  const value = columns.find(column => column.id === sort?.column)?.value;
  if (sort === undefined || value === undefined) {
    return rows;
  }
  const sign = sort.descending ? -1 : 1;
  return rows
    .map(row => ({ row, by: value(row) }))
    .sort((left, right) => compare(left.by, right.by, sign))
    .map(({ row }) => row);
}

/** What has no value, or is no number, comes last in either direction. */
function compare(
  left: string | number | null,
  right: string | number | null,
  sign: number
): number {
  const leftEmpty = left === null || Number.isNaN(left);
  const rightEmpty = right === null || Number.isNaN(right);
  if (leftEmpty || rightEmpty) {
    return Number(leftEmpty) - Number(rightEmpty);
  }
  if (typeof left === 'number' && typeof right === 'number') {
    return sign * (left - right);
  }
  return sign * String(left).localeCompare(String(right), undefined, { numeric: true });
}
