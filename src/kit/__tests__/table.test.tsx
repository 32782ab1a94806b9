import { cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { TableColumn } from '../table';
import { DataTable } from '../table';

interface Run {
  id: string;
  auc: number | null;
}

const COLUMNS: TableColumn<Run>[] = [
  { id: 'id', title: 'Run', value: run => run.id },
  { id: 'auc', title: 'AUC', align: 'end', value: run => run.auc }
];

function runs(amount: number): Run[] {
  return Array.from({ length: amount }, (_, index) => ({ id: `run-${index}`, auc: index / 100 }));
}

function shown(): string[] {
  return screen
    .getAllByRole('row')
    .slice(1)
    .map(row => within(row).getAllByRole('gridcell')[0]?.textContent ?? '');
}

function current(): string | null | undefined {
  const id = screen.getByRole('grid').getAttribute('aria-activedescendant');
  return id === null ? null : document.getElementById(id)?.textContent;
}

describe('DataTable', () => {
  afterEach(cleanup);

  it('has only the rows in view in the page, and says how many there are', () => {
    render(<DataTable label="Runs" columns={COLUMNS} rows={runs(10_000)} rowKey={run => run.id} />);
    expect(screen.getByRole('grid').getAttribute('aria-rowcount')).toBe('10001');
    expect(shown().length).toBeLessThan(40);
  });

  it('moves with the arrows, to the ends and beyond what is in view', async () => {
    render(<DataTable label="Runs" columns={COLUMNS} rows={runs(1000)} rowKey={run => run.id} />);
    const user = userEvent.setup();
    screen.getByRole('grid').focus();
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}');
    expect(current()).toContain('run-1');
    await user.keyboard('{Home}{ArrowUp}');
    expect(current()).toContain('run-0');
  });

  it('opens with Enter and chooses with Space', async () => {
    const onOpen = vi.fn();
    const onToggle = vi.fn();
    const onKey = vi.fn(() => true);
    render(
      <DataTable
        label="Runs"
        columns={COLUMNS}
        rows={runs(3)}
        rowKey={run => run.id}
        selected={new Set(['run-2'])}
        onOpen={onOpen}
        onToggle={onToggle}
        onKey={onKey}
      />
    );
    const user = userEvent.setup();
    screen.getByRole('grid').focus();
    await user.keyboard('{ArrowDown} {Enter}c');
    expect(onToggle).toHaveBeenCalledWith({ id: 'run-1', auc: 0.01 });
    expect(onOpen).toHaveBeenCalledWith({ id: 'run-1', auc: 0.01 });
    expect(onKey).toHaveBeenCalledWith('c', { id: 'run-1', auc: 0.01 });
    expect(screen.getAllByRole('row')[3]?.getAttribute('aria-selected')).toBe('true');
  });

  it('sorts numbers from the largest, what has none last, and returns to the given order', async () => {
    const rows: Run[] = [
      { id: 'a', auc: 0.5 },
      { id: 'b', auc: null },
      { id: 'c', auc: 0.9 },
      { id: 'd', auc: NaN }
    ];
    render(<DataTable label="Runs" columns={COLUMNS} rows={rows} rowKey={run => run.id} />);
    const user = userEvent.setup();
    const head = screen.getByRole('button', { name: /AUC/ });
    await user.click(head);
    expect(shown().slice(0, 2)).toEqual(['c', 'a']);
    expect(screen.getByRole('columnheader', { name: /AUC/ }).getAttribute('aria-sort')).toBe(
      'descending'
    );
    await user.click(head);
    expect(shown().slice(0, 2)).toEqual(['a', 'c']);
    await user.click(head);
    expect(shown()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps the current row when the rows change', async () => {
    const table = (rows: Run[]): JSX.Element => (
      <DataTable label="Runs" columns={COLUMNS} rows={rows} rowKey={run => run.id} />
    );
    const { rerender } = render(table(runs(3)));
    screen.getByRole('grid').focus();
    await userEvent.setup().keyboard('{End}');
    rerender(table([{ id: 'new', auc: 1 }, ...runs(3)]));
    expect(current()).toContain('run-2');
  });

  it('shows what is said for no rows', () => {
    render(
      <DataTable label="Runs" columns={COLUMNS} rows={[]} rowKey={run => run.id} empty="None yet" />
    );
    expect(screen.getByText('None yet')).toBeTruthy();
  });

  it('calls the boxes by what the rows are called, and not by their keys', () => {
    const rows = runs(2);
    const props = {
      label: 'Runs',
      columns: COLUMNS,
      selected: new Set<string>(),
      onToggle: vi.fn()
    };
    const { rerender } = render(
      <DataTable {...props} rows={rows} rowKey={run => `hex of ${run.id}`} />
    );
    expect(screen.getByRole('checkbox', { name: 'Choose run-1' })).toBeTruthy();
    rerender(
      <DataTable
        {...props}
        rows={rows}
        rowKey={run => run.id}
        rowLabel={run => `Run of ${run.id}`}
      />
    );
    expect(screen.getByRole('checkbox', { name: 'Choose Run of run-1' })).toBeTruthy();
  });

  it('follows its own size also where it had no rows at first', () => {
    const observe = vi.spyOn(ResizeObserver.prototype, 'observe');
    const props = { label: 'Runs', columns: COLUMNS, rowKey: (run: Run) => run.id, empty: 'None' };
    const { rerender } = render(<DataTable {...props} rows={[]} />);
    expect(observe).not.toHaveBeenCalled();
    rerender(<DataTable {...props} rows={runs(3)} />);
    expect(observe).toHaveBeenCalledWith(screen.getByRole('grid'));
    observe.mockRestore();
  });
});
