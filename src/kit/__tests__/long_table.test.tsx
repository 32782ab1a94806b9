import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { LongTable, type LongColumn, type LongTableProps } from '../long_table';

interface Row {
  id: string;
  loss: number;
}

const COLUMNS: LongColumn<Row>[] = [
  { id: 'name', title: 'Run', group: 'Run', width: 100, fixed: true, render: row => row.id },
  {
    id: 'loss',
    title: 'loss',
    group: 'Metrics',
    width: 100,
    sortable: true,
    render: row => <b>{row.loss}</b>
  }
];

const onToggle = vi.fn();
const onOpen = vi.fn();
const onSort = vi.fn();
const onResize = vi.fn();
const onView = vi.fn();

function props(values: Partial<LongTableProps<Row>> = {}): LongTableProps<Row> {
  return {
    label: 'Runs',
    columns: COLUMNS,
    total: 10_000,
    row: index => (index < 100 ? { id: `r${index}`, loss: index } : undefined),
    version: 1,
    question: 'q',
    rowKey: row => row.id,
    rowLabel: row => row.id,
    onView,
    sort: [],
    onSort,
    onResize,
    selected: new Set(),
    onToggle,
    all: false,
    onToggleAll: () => {},
    onOpen,
    ...values
  };
}

beforeEach(() => {
  cleanup();
  vi.clearAllMocks();
});

describe('LongTable', () => {
  it('makes only the rows in view, and says which those are', () => {
    render(<LongTable {...props()} />);
    const rows = document.querySelectorAll('.pj-LongTable-row');
    expect(rows.length).toBeLessThan(60);
    expect(onView).toHaveBeenLastCalledWith(0, rows.length);
    expect(screen.getByRole('grid').getAttribute('aria-rowcount')).toBe('10001');
  });

  it('is walked, chosen and opened by the keyboard', () => {
    render(<LongTable {...props()} />);
    const grid = screen.getByRole('grid');
    fireEvent.focus(grid);
    fireEvent.keyDown(grid, { key: 'ArrowDown' });
    fireEvent.keyDown(grid, { key: ' ' });
    expect(onToggle).toHaveBeenLastCalledWith({ id: 'r1', loss: 1 }, false);
    fireEvent.keyDown(grid, { key: 'ArrowDown', shiftKey: true });
    expect(onToggle).toHaveBeenLastCalledWith({ id: 'r2', loss: 2 }, false);
    fireEvent.keyDown(grid, { key: 'Enter' });
    expect(onOpen).toHaveBeenLastCalledWith({ id: 'r2', loss: 2 });
    fireEvent.keyDown(grid, { key: 'End' });
    fireEvent.keyDown(grid, { key: 'Enter' });
    // A row that is not there yet cannot be opened.
    expect(onOpen).toHaveBeenCalledTimes(1);
  });

  it('leaves sorting to its parent, and is resized by keys', () => {
    render(<LongTable {...props({ sort: [{ column: 'loss', descending: true }] })} />);
    const heading = screen.getByRole('columnheader', { name: /^loss/ });
    expect(heading.getAttribute('aria-sort')).toBe('descending');
    fireEvent.click(screen.getByRole('button', { name: /^loss/ }), { shiftKey: true });
    expect(onSort).toHaveBeenCalledWith('loss', true);
    fireEvent.keyDown(heading, { key: 'ArrowRight', altKey: true });
    expect(onResize).toHaveBeenCalledWith('loss', 116);
  });

  it('holds the place of rows that are on their way', () => {
    render(<LongTable {...props({ row: () => undefined, total: 3 })} />);
    expect(document.querySelectorAll('.pj-LongTable-wait')).toHaveLength(6);
    expect(screen.queryByRole('checkbox', { name: /Choose r/ })).toBeNull();
  });
});
