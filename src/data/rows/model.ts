import { DataModel } from '@lumino/datagrid';
import { tableFromIPC, type Table } from '@uwdata/flechette';

import { locale } from '../../api/language';
import type { components } from '../../api/wire';
import { cellText, LOADING, writer, type CellWriter } from './cells';
import { CHUNK_ROWS, Pages } from './pages';

type Column = components['schemas']['Column'];

/** So many columns travel together: a table of ten thousand comes as it is scrolled. */
export const BLOCK_COLUMNS = 48;

/** One chunk of rows of one block of columns, read where it lies: a cell is decoded when painted. */
export class ArrowPage {
  constructor(ipc: ArrayBuffer | Uint8Array, columns: number) {
    const table: Table = tableFromIPC(ipc, { useBigInt: true, useDecimalInt: true });
    this.rows = table.numRows;
    // By position: names need not be unique.
    this._columns = Array.from({ length: columns }, (_, index) => table.getChildAt(index));
    this.writers = this._columns.map(column => writer(column.type));
  }

  readonly rows: number;
  readonly writers: CellWriter[];

  value(row: number, column: number): unknown {
    return this._columns[column]!.at(row) as unknown;
  }

  private readonly _columns: Table['children'];
}

/** A column that is shown, and where it stands in the version's own order. */
export interface IShown {
  column: Column;
  position: number;
}

/** What a cell says besides its value. */
export interface ICellMetadata {
  write: CellWriter;
  column: Column | undefined;
}

export namespace RowsModel {
  export interface IOptions {
    /** Rows that can be had. */
    rows: number;
    shown: readonly IShown[];
    /** Get rows of these columns, in this order, as an Arrow IPC stream. */
    load(
      offset: number,
      limit: number,
      positions: readonly number[],
      signal: AbortSignal
    ): Promise<ArrayBuffer | Uint8Array>;
    /** Called with the reason when rows cannot be had, and with undefined on a new try. */
    failed(error: unknown): void;
  }
}

/** One view of a table as a grid sees it: all rows are there, the values come as they are seen. */
export class RowsModel extends DataModel {
  constructor(options: RowsModel.IOptions) {
    super();
    this._rows = options.rows;
    this.shown = options.shown;
    this._blocks = Math.max(1, Math.ceil(this.shown.length / BLOCK_COLUMNS));
    this._pages = new Pages<ArrowPage>({
      load: async (key, signal) => {
        const positions = this._positions(key % this._blocks);
        const chunk = Math.floor(key / this._blocks);
        const ipc = await options.load(chunk * CHUNK_ROWS, CHUNK_ROWS, positions, signal);
        return new ArrowPage(ipc, positions.length);
      },
      arrived: key => this._arrived(key),
      failed: error => options.failed(error)
    });
  }

  readonly shown: readonly IShown[];

  get rows(): number {
    return this._rows;
  }

  /** More rows can be had than before: a view's copy is whole now. */
  set rows(rows: number) {
    const before = this._rows;
    if (rows > before) {
      this._rows = rows;
      this._pages.forget(Math.floor(before / CHUNK_ROWS) * this._blocks, this._blocks);
      this.emitChanged({
        type: 'rows-inserted',
        region: 'body',
        index: before,
        span: rows - before
      });
    }
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._rows : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.shown.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'body': {
        const page = this._pages.get(this._key(row, column));
        const at = row % CHUNK_ROWS;
        return page && at < page.rows ? page.value(at, column % BLOCK_COLUMNS) : LOADING;
      }
      case 'column-header':
        return this.shown[column]!.column.name;
      case 'row-header':
        return (row + 1).toLocaleString(locale());
      case 'corner-header':
        return '';
    }
  }

  override metadata(region: DataModel.CellRegion, row: number, column: number): ICellMetadata {
    const page = region === 'body' ? this._pages.get(this._key(row, column)) : undefined;
    return {
      write: page?.writers[column % BLOCK_COLUMNS] ?? String,
      column: this.shown[column]?.column
    };
  }

  /** What the first rows of the first columns show, by column. */
  async sample(rows: number): Promise<string[][]> {
    const page = await this._pages.fetch(0);
    return page.writers.map((write, column) =>
      Array.from(
        { length: Math.min(rows, page.rows) },
        (_, row) => cellText(page.value(row, column), write).text
      )
    );
  }

  /** Write a rectangle as tab-separated text, its rows fetched where they have to be. */
  async text(r1: number, c1: number, r2: number, c2: number): Promise<string> {
    const lines = [this.shown.slice(c1, c2 + 1).map(({ column }) => column.name)];
    for (let row = r1; row <= r2; row++) {
      const cells: string[] = [];
      for (let column = c1; column <= c2; column++) {
        const page = await this._pages.fetch(this._key(row, column));
        const value = page.value(row % CHUNK_ROWS, column % BLOCK_COLUMNS);
        const text =
          value === null || value === undefined ? '' : page.writers[column % BLOCK_COLUMNS]!(value);
        cells.push(/[\t\r\n"]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
      }
      lines.push(cells);
    }
    const wanted = r1 === r2 && c1 === c2 ? lines.slice(1) : lines;
    return wanted.map(cells => cells.join('\t')).join('\n');
  }

  retry(): void {
    this._pages.retry();
  }

  dispose(): void {
    this._pages.dispose();
  }

  private _key(row: number, column: number): number {
    return Math.floor(row / CHUNK_ROWS) * this._blocks + Math.floor(column / BLOCK_COLUMNS);
  }

  private _positions(block: number): number[] {
    return this.shown
      .slice(block * BLOCK_COLUMNS, (block + 1) * BLOCK_COLUMNS)
      .map(({ position }) => position);
  }

  private _arrived(key: number): void {
    const row = Math.floor(key / this._blocks) * CHUNK_ROWS;
    const column = (key % this._blocks) * BLOCK_COLUMNS;
    this.emitChanged({
      type: 'cells-changed',
      region: 'body',
      row,
      column,
      rowSpan: Math.min(CHUNK_ROWS, this._rows - row),
      columnSpan: Math.min(BLOCK_COLUMNS, this.shown.length - column)
    });
  }

  private _rows: number;
  private readonly _blocks: number;
  private readonly _pages: Pages<ArrowPage>;
}
