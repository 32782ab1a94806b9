import { DataModel } from '@lumino/datagrid';
import { tableFromIPC, type Table } from '@uwdata/flechette';

import type { components } from '../../api/wire';
import { cellText, LOADING, writer, type CellWriter } from './cells';
import { CHUNK_ROWS, Pages } from './pages';

type Column = components['schemas']['Column'];

/** One chunk of rows, read where it lies: a cell is decoded when it is painted. */
export class ArrowPage {
  constructor(ipc: ArrayBuffer | Uint8Array, names: string[]) {
    const table: Table = tableFromIPC(ipc, { useBigInt: true, useDecimalInt: true });
    this.rows = table.numRows;
    this._columns = names.map(name => table.getChild(name));
    this.writers = this._columns.map(column => writer(column.type));
  }

  readonly rows: number;
  readonly writers: CellWriter[];

  value(row: number, column: number): unknown {
    return this._columns[column]!.at(row) as unknown;
  }

  private readonly _columns: Table['children'];
}

/** What a cell says besides its value. */
export interface ICellMetadata {
  write: CellWriter;
  column: Column | undefined;
}

export namespace RowsModel {
  export interface IOptions {
    rows: number;
    columns: Column[];
    /** Get rows as an Arrow IPC stream. */
    load(offset: number, limit: number, signal: AbortSignal): Promise<ArrayBuffer | Uint8Array>;
    /** Called with the reason when rows cannot be had, and with undefined on a new try. */
    failed(error: unknown): void;
  }
}

/** One version of a dataset as a grid sees it: all rows are there, the values come as they are seen. */
export class RowsModel extends DataModel {
  constructor(options: RowsModel.IOptions) {
    super();
    this._rows = options.rows;
    this.columns = options.columns;
    const names = options.columns.map(column => column.name);
    this._pages = new Pages<ArrowPage>({
      load: async (chunk, signal) =>
        new ArrowPage(await options.load(chunk * CHUNK_ROWS, CHUNK_ROWS, signal), names),
      arrived: chunk => this._arrived(chunk),
      failed: error => options.failed(error)
    });
  }

  readonly columns: Column[];

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._rows : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.columns.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'body': {
        const page = this._pages.get(Math.floor(row / CHUNK_ROWS));
        const at = row % CHUNK_ROWS;
        return page && at < page.rows ? page.value(at, column) : page ? null : LOADING;
      }
      case 'column-header':
        return this.columns[column]!.name;
      case 'row-header':
        return (row + 1).toLocaleString();
      case 'corner-header':
        return '';
    }
  }

  override metadata(region: DataModel.CellRegion, row: number, column: number): ICellMetadata {
    const page = region === 'body' ? this._pages.get(Math.floor(row / CHUNK_ROWS)) : undefined;
    return { write: page?.writers[column] ?? String, column: this.columns[column] };
  }

  /** What the first rows show, by column. */
  async sample(rows: number): Promise<string[][]> {
    const page = await this._pages.fetch(0);
    return this.columns.map((_, column) =>
      Array.from(
        { length: Math.min(rows, page.rows) },
        (_, row) => cellText(page.value(row, column), page.writers[column]!).text
      )
    );
  }

  /** Write a rectangle as tab-separated text, its rows fetched where they have to be. */
  async text(r1: number, c1: number, r2: number, c2: number): Promise<string> {
    const lines = [this.columns.slice(c1, c2 + 1).map(column => column.name)];
    for (let row = r1; row <= r2; row++) {
      const page = await this._pages.fetch(Math.floor(row / CHUNK_ROWS));
      const cells: string[] = [];
      for (let column = c1; column <= c2; column++) {
        const value = page.value(row % CHUNK_ROWS, column);
        const text = value === null || value === undefined ? '' : page.writers[column]!(value);
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

  private _arrived(chunk: number): void {
    const row = chunk * CHUNK_ROWS;
    this.emitChanged({
      type: 'cells-changed',
      region: 'body',
      row,
      column: 0,
      rowSpan: Math.min(CHUNK_ROWS, this._rows - row),
      columnSpan: this.columns.length
    });
  }

  private readonly _rows: number;
  private readonly _pages: Pages<ArrowPage>;
}
