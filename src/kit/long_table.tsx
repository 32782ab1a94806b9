import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { memo, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { classes } from './classes';
import type { SortKey } from './conditions';
import type { LongColumn } from './long_column';
import { LongTableHead } from './long_table_head';
import { useTrans } from './services';
import { useViewport } from './viewport';

export type { LongColumn } from './long_column';

/** Height of a row in pixels, as `--pj-row-height` says it. */
const ROW = 28;
const BOX = 28;

export interface LongTableProps<Row> {
  /** What is listed, for screen readers. */
  label: string;
  columns: readonly LongColumn<Row>[];
  total: number;
  /** The row at a place; undefined while it is on its way. */
  row: (index: number) => Row | undefined;
  /** Differs when rows are other ones. */
  version: number;
  /** Differs when another question was asked: the table begins at its top again. */
  question: string;
  rowKey: (row: Row) => string;
  /** What a row is called, for screen readers. */
  rowLabel: (row: Row) => string;
  rowClass?: (row: Row) => string | undefined;
  /** Which rows are in view, so that they can be asked for. */
  onView: (first: number, last: number) => void;
  sort: readonly SortKey[];
  onSort: (column: string, add: boolean) => void;
  /** Undefined for the width that it has by itself. */
  onResize: (column: string, width: number | undefined) => void;
  selected: ReadonlySet<string>;
  /** A row was chosen or let go; with `range`, all from the last one that was. */
  onToggle: (row: Row, range: boolean) => void;
  /** Whether all are chosen, some, or none; and a click on that. */
  all: boolean | 'some';
  onToggleAll: () => void;
  /** The colour of a row's box, such as that of its curve. */
  swatch?: (row: Row) => string | undefined;
  onOpen: (row: Row) => void;
  /** A key that the table does not know, on the current row. True when it was used. */
  onKey?: (event: KeyboardEvent, row: Row) => boolean;
  /** The row that stands out, and the one under the pointer. */
  lit?: string | undefined;
  onLit?: (key: string | undefined) => void;
}

/**
 * A table of any length whose rows come as they are looked at: only those in view are in the page,
 * and of many columns only those. Sorting is left to who answers for the rows.
 *
 * The focus is on the table; arrows, Page Up/Down, Home and End move the current row, with Shift
 * they choose on the way, and Space, Enter and other keys are about it.
 */
export function LongTable<Row>(props: LongTableProps<Row>): JSX.Element {
  const { columns, total, row, rowKey, selected, onView, question } = props;
  const trans = useTrans();
  const id = useId();
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const [at, setAt] = useState(-1);
  const [widths, setWidths] = useState<Readonly<Record<string, number>>>({});
  const head = columns.some(column => column.group !== undefined) ? 2 * ROW : ROW;
  const view = useViewport(scroller, ROW, total, head);
  const { first, last } = view;

  const sized = useMemo(
    () => columns.map(column => ({ ...column, width: widths[column.id] ?? column.width })),
    [columns, widths]
  );
  const { shown, before, width } = useMemo(
    () => inView(sized, view.left, view.width),
    [sized, view.left, view.width]
  );

  useEffect(() => {
    if (last > first) {
      onView(first, last);
    }
  }, [first, last, onView, question]);

  const { top } = view;
  const scrolled = useRef(top);
  useLayoutEffect(() => {
    scrolled.current = top;
  }, [top]);
  useLayoutEffect(() => {
    setAt(-1);
    // To be asked where it is costs a layout of the page: it is only moved when it was scrolled.
    if (scrolled.current > 0) {
      scroller?.scrollTo({ top: 0 });
    }
  }, [question, scroller]);

  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(total - 1, index));
    setAt(next);
    if (scroller !== null) {
      const top = next * ROW;
      const room = scroller.clientHeight - head;
      if (top < scroller.scrollTop) {
        scroller.scrollTop = top;
      } else if (room > 0 && top + ROW > scroller.scrollTop + room) {
        scroller.scrollTop = top + ROW - room;
      }
      view.measure();
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const page = Math.max(1, Math.floor(((scroller?.clientHeight ?? 0) - head) / ROW) - 1);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: total - 1
    }[event.key];
    if (target !== undefined && total > 0) {
      event.preventDefault();
      moveTo(target);
      const next = row(Math.max(0, Math.min(total - 1, target)));
      if (event.shiftKey && next !== undefined && !selected.has(rowKey(next))) {
        props.onToggle(next, false);
      }
      return;
    }
    const current = row(at);
    if (current === undefined) {
      return;
    }
    if (event.key === ' ') {
      event.preventDefault();
      props.onToggle(current, false);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      props.onOpen(current);
    } else if (props.onKey?.(event, current) === true) {
      event.preventDefault();
    }
  };

  const resize = (column: string, to: number | undefined, done: boolean): void => {
    setWidths(old => {
      const { [column]: _, ...rest } = old;
      return to === undefined || done ? rest : { ...rest, [column]: to };
    });
    if (done) {
      props.onResize(column, to);
    }
  };

  // Handlers of rows keep their identity, so that a row is made again only when it is another one.
  const newest = useRef(props);
  useLayoutEffect(() => {
    newest.current = props;
  });
  const acts = useMemo<RowActs<Row>>(
    () => ({
      current: setAt,
      toggle: (line, range) => newest.current.onToggle(line, range),
      open: line => newest.current.onOpen(line),
      lit: key => newest.current.onLit?.(key)
    }),
    []
  );

  const rows: ReactNode[] = [];
  for (let index = first; index < last; index += 1) {
    const line = row(index);
    const key = line === undefined ? `#${index}` : rowKey(line);
    rows.push(
      <RowView
        key={key}
        id={`${id}-${index}`}
        index={index}
        line={line}
        rowKey={key}
        label={line === undefined ? '' : props.rowLabel(line)}
        look={line === undefined ? undefined : props.rowClass?.(line)}
        swatch={line === undefined ? undefined : props.swatch?.(line)}
        columns={shown as readonly LongColumn<unknown>[]}
        before={before}
        current={index === at}
        lit={props.lit === key}
        chosen={selected.has(key)}
        acts={acts as RowActs<unknown>}
        choose={trans.__('Choose %1', line === undefined ? '' : props.rowLabel(line))}
      />
    );
  }

  return (
    <div
      className="pj-Table pj-LongTable pj-mod-fill"
      role="grid"
      aria-label={props.label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-activedescendant={at < 0 ? undefined : `${id}-${at}`}
      tabIndex={0}
      ref={setScroller}
      onKeyDown={onKeyDown}
      onFocus={event => {
        if (event.target === event.currentTarget && at < 0 && total > 0) {
          moveTo(first);
        }
      }}
      onScroll={view.measure}
      onMouseLeave={() => props.onLit?.(undefined)}
    >
      <div className="pj-LongTable-inner" style={{ width: width + BOX }}>
        <LongTableHead
          columns={sized}
          sort={props.sort}
          onSort={props.onSort}
          onResize={resize}
          box={BOX}
          all={props.all}
          onToggleAll={props.onToggleAll}
        />
        <div style={{ height: first * ROW }} />
        {rows}
        <div style={{ height: (total - last) * ROW }} />
      </div>
    </div>
  );
}

interface RowActs<Row> {
  current: (index: number) => void;
  toggle: (row: Row, range: boolean) => void;
  open: (row: Row) => void;
  lit: (key: string | undefined) => void;
}

interface RowViewProps {
  id: string;
  index: number;
  line: unknown;
  rowKey: string;
  label: string;
  look: string | undefined;
  swatch: string | undefined;
  columns: readonly LongColumn<unknown>[];
  /** Pixels of the columns that are out of view before those that are shown. */
  before: number;
  current: boolean;
  lit: boolean;
  chosen: boolean;
  acts: RowActs<unknown>;
  choose: string;
}

const RowView = memo((props: RowViewProps): JSX.Element => {
  const { line, columns, acts, index, chosen } = props;
  let left = BOX;
  let spaced = false;
  return (
    <div
      id={props.id}
      className={classes(
        'pj-Table-row',
        'pj-LongTable-row',
        line !== undefined && 'pj-mod-opens',
        props.current && 'pj-mod-current',
        chosen && 'pj-mod-chosen',
        props.lit && 'pj-mod-lit',
        props.look
      )}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen}
      data-key={props.rowKey}
      onMouseEnter={() => acts.lit(line === undefined ? undefined : props.rowKey)}
      onClick={event => {
        acts.current(index);
        if (line !== undefined && event.shiftKey && !onControl(event)) {
          acts.toggle(line, true);
        }
      }}
      onDoubleClick={event => {
        if (line !== undefined && !onControl(event)) {
          acts.open(line);
        }
      }}
    >
      <span role="gridcell" className="pj-Table-box pj-mod-fixed" style={{ width: BOX }}>
        {line !== undefined && (
          <input
            type="checkbox"
            tabIndex={-1}
            checked={chosen}
            aria-label={props.choose}
            style={{ accentColor: props.swatch }}
            onChange={event =>
              acts.toggle(line, (event.nativeEvent as unknown as MouseEvent).shiftKey)
            }
          />
        )}
      </span>
      {columns.map(column => {
        const offset = left;
        left += column.width;
        const space = column.fixed !== true && !spaced;
        spaced ||= space;
        return (
          <span
            key={column.id}
            role="gridcell"
            className={classes(
              'pj-Table-cell',
              column.align === 'end' && 'pj-mod-end',
              column.fixed === true && 'pj-mod-fixed'
            )}
            style={{
              width: column.width,
              ...(column.fixed === true
                ? { insetInlineStart: offset }
                : { marginInlineStart: space ? props.before : 0 })
            }}
          >
            {line === undefined ? <span className="pj-LongTable-wait" /> : column.render(line)}
          </span>
        );
      })}
    </div>
  );
});

/** A click on a button or a link in a row is not a click on the row. */
function onControl(event: MouseEvent): boolean {
  return event.target instanceof Element && event.target.closest('button, a, input') !== null;
}

/** The columns that can be seen: those that stay, and those that are scrolled to. */
function inView<Row>(
  columns: readonly LongColumn<Row>[],
  left: number,
  room: number
): { shown: readonly LongColumn<Row>[]; before: number; width: number } {
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  let start = 0;
  let before = 0;
  const shown = columns.filter(column => {
    if (column.fixed === true) {
      return true;
    }
    const end = start + column.width;
    // A screen on either side: scrolling sideways shows no hole.
    const seen = end > left - room && start < left + 2 * room;
    if (!seen && end <= left - room) {
      before = end;
    }
    start = end;
    return seen;
  });
  return { shown, before, width };
}
