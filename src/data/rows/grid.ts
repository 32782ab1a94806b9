/** The grid itself: a chunk of its own, loaded with the first table that somebody looks at. */
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  type DataGrid,
  TextRenderer
} from '@lumino/datagrid';
import type { IMessageHandler, Message } from '@lumino/messaging';

import { locale } from '../../api/language';
import { BodyRenderer } from './body';
import { cellText, LOADING } from './cells';
import { HeaderRenderer, PADDING, type IHeaderFacts } from './headers';
import { RowsModel } from './model';
import { DirectGrid } from './surface';
import { gridTheme, type IGridTheme } from './theme';

/** The cell that the cursor is on, in words. */
export interface ICursor {
  row: number;
  column: string;
  /** The whole value, as it is copied; empty where it is missing. */
  value: string;
  /** What the grid paints. */
  shown: string;
  missing: boolean;
  /** It has not arrived yet. */
  loading: boolean;
}

/** Where somebody asked for a menu; `cell` is none on a header. */
export interface IMenuPlace {
  column: string;
  cell: ICursor | null;
  x: number;
  y: number;
}

export namespace RowsGrid {
  export interface IOptions {
    view: RowsModel.IOptions;
    header(column: string): IHeaderFacts;
    /** Called with the first and last row in view, from 1, and with the cell under the cursor. */
    viewed(first: number, last: number): void;
    cursor(cell: ICursor | null): void;
    copy(text: string): void;
    /** Called instead of copying when more cells than this are selected. */
    copyRefused(limit: number): void;
    /** A header was clicked; `add` when Shift was held. */
    sort(column: string, add: boolean): void;
    menu(place: IMenuPlace): void;
  }
}

/** More cells than this are no reading matter: they are read in the notebook. */
const MAX_COPIED = 100_000;
/** The rows that say how wide the columns are. */
const SAMPLED = 100;
/** Text that is longer is read in the status line, or in a column that is drawn wider. */
const MAX_WIDTH = 320;

/** The rows of one dataset version, in one view after the other. */
export class RowsGrid extends DirectGrid {
  constructor(options: RowsGrid.IOptions) {
    const theme = gridTheme(document.body);
    super({
      style: theme.style,
      defaultSizes: {
        rowHeight: theme.rowHeight,
        columnWidth: 120,
        rowHeaderWidth: 64,
        columnHeaderHeight: theme.headerHeight
      },
      minimumSizes: { rowHeight: 20, columnWidth: 48, rowHeaderWidth: 48, columnHeaderHeight: 32 },
      headerVisibility: 'all'
    });
    this._options = options;
    this.keyHandler = new RowsKeyHandler(this);
    this.mouseHandler = new RowsMouseHandler(this);
    this._applyTheme(theme);
    this._model = this._show(options.view);
    this.filled = this._model.sample(SAMPLED).then(
      texts => this._sizeColumns(theme, texts),
      (error: unknown) => {
        this._sizeColumns(theme, []);
        options.view.failed(error);
      }
    );
  }

  /** Resolves when the first rows are here, and the columns are as wide as they need. */
  readonly filled: Promise<void>;

  /** Show other rows or columns; a column keeps its width. */
  showView(view: RowsModel.IOptions): void {
    this._keepWidths();
    const old = this._model;
    const numbers = this.columnSize('row-header', 0);
    this._model = this._show(view);
    old.dispose();
    this.resizeColumn('row-header', 0, numbers);
    this._model.shown.forEach(({ position }, index) => {
      const width = this._widths.get(position);
      if (width !== undefined) {
        this.resizeColumn('body', index, width);
      }
    });
    this.scrollTo(this.scrollX, 0);
    this._tellCursor();
  }

  /** Say that more rows can be had. */
  grow(rows: number): void {
    this._model.rows = rows;
  }

  /** Put the cursor on a cell, and the cell into view. */
  goTo(row: number, column: string): void {
    const index = this._model.shown.findIndex(shown => shown.column.name === column);
    if (index < 0) {
      return;
    }
    this.selectionModel?.select({
      r1: row,
      c1: index,
      r2: row,
      c2: index,
      cursorRow: row,
      cursorColumn: index,
      clear: 'all'
    });
    this.scrollToCell(row, index);
  }

  /** Read the theme, and what the headers say, again. */
  refreshTheme(): void {
    this._applyTheme(gridTheme(document.body));
  }

  retry(): void {
    this._model.retry();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  override messageHook(handler: IMessageHandler, message: Message): boolean {
    const result = super.messageHook(handler, message);
    this._tellView();
    return result;
  }

  /** Copy the selection, rows that are not here yet included. */
  override copyToClipboard(): void {
    const selected = this.selectionModel?.currentSelection();
    if (!selected) {
      return;
    }
    const rows = [selected.r1, selected.r2].sort((a, b) => a - b);
    const columns = [selected.c1, selected.c2].sort((a, b) => a - b);
    const r2 = Math.min(rows[1]!, this.rowCount('body') - 1);
    const c2 = Math.min(columns[1]!, this.columnCount('body') - 1);
    const cells = (r2 - rows[0]! + 1) * (c2 - columns[0]! + 1);
    if (cells > MAX_COPIED) {
      this._options.copyRefused(MAX_COPIED);
      return;
    }
    this._model
      .text(rows[0]!, columns[0]!, r2, c2)
      .then(text => this._options.copy(text), this._failed);
  }

  /** Tell of a click on a header, and of a wish for a menu. */
  headerClicked(index: number, add: boolean): void {
    const shown = this._model.shown[index];
    if (shown !== undefined) {
      this._options.sort(shown.column.name, add);
    }
  }

  menuAsked(
    region: DataGrid.HitTestResult['region'],
    row: number,
    index: number,
    x: number,
    y: number
  ): void {
    const shown = this._model.shown[index];
    if (shown === undefined || (region !== 'body' && region !== 'column-header')) {
      return;
    }
    this._options.menu({
      column: shown.column.name,
      cell: region === 'body' ? this._cell(row, index) : null,
      x,
      y
    });
  }

  /** Open the menu of the cell under the cursor, as the keyboard asks for it. */
  menuAtCursor(): void {
    const { cursorRow: row = -1, cursorColumn: column = -1 } = this.selectionModel ?? {};
    if (row >= 0 && column >= 0) {
      const box = this.node.getBoundingClientRect();
      const x = box.left + this.headerWidth + this.columnOffset('body', column) - this.scrollX;
      const y = box.top + this.headerHeight + this.rowOffset('body', row + 1) - this.scrollY;
      this.menuAsked('body', row, column, x, Math.min(y, box.bottom));
    }
  }

  private _show(view: RowsModel.IOptions): RowsModel {
    const model = new RowsModel(view);
    this._failed = (error: unknown) => view.failed(error);
    this.dataModel = model;
    this.selectionModel = new BasicSelectionModel({ dataModel: model });
    this.selectionModel.changed.connect(() => void this._tellCursor());
    model.changed.connect(() => void this._tellCursor());
    return model;
  }

  private _applyTheme(theme: IGridTheme): void {
    this.style = theme.style;
    const headers = new HeaderRenderer(theme, this._options.header);
    this.cellRenderers.update({
      body: new BodyRenderer(theme),
      'column-header': headers,
      'corner-header': headers,
      'row-header': new TextRenderer({
        font: theme.typeFont,
        textColor: theme.quiet,
        horizontalAlignment: 'right'
      })
    });
  }

  private _keepWidths(): void {
    this._model.shown.forEach(({ position }, index) =>
      this._widths.set(position, this.columnSize('body', index))
    );
  }

  private _sizeColumns(theme: IGridTheme, texts: readonly (readonly string[])[]): void {
    const letter = theme.size * 0.61;
    this._model.shown.forEach(({ column }, index) => {
      const { note } = this._options.header(column.name);
      const type = note === '' ? column.type : `${column.type} · ${note}`;
      const letters = Math.max(
        column.name.length + 2,
        type.length * 0.85,
        ...(texts[index] ?? []).map(text => text.length)
      );
      const width = letters * letter + 2 * PADDING + 6;
      this.resizeColumn('body', index, Math.round(Math.min(MAX_WIDTH, Math.max(72, width))));
    });
    const digits = this._model.rowCount('body').toLocaleString(locale()).length;
    this.resizeColumn('row-header', 0, Math.max(48, digits * letter + 16));
  }

  private _tellView(): void {
    if (this.pageHeight <= 0 || this.rowCount('body') === 0) {
      return;
    }
    const height = this.defaultSizes.rowHeight;
    const first = Math.floor(this.scrollY / height) + 1;
    const last = Math.min(
      this.rowCount('body'),
      Math.ceil((this.scrollY + this.pageHeight) / height)
    );
    if (first !== this._first || last !== this._last) {
      this._first = first;
      this._last = last;
      this._options.viewed(first, last);
    }
  }

  private _tellCursor(): void {
    const { cursorRow: row = -1, cursorColumn: column = -1 } = this.selectionModel ?? {};
    this._options.cursor(row < 0 || column < 0 ? null : this._cell(row, column));
  }

  private _cell(row: number, index: number): ICursor | null {
    const shown = this._model.shown[index];
    if (shown === undefined) {
      return null;
    }
    const value = this._model.data('body', row, index);
    const { write } = this._model.metadata('body', row, index);
    const { text, quiet } = cellText(value, write);
    const missing = value === null || value === undefined || Number.isNaN(value);
    return {
      row: row + 1,
      column: shown.column.name,
      value: missing || value === LOADING ? '' : write(value),
      shown: quiet ? text : write(value),
      missing,
      loading: value === LOADING
    };
  }

  private readonly _options: RowsGrid.IOptions;
  private readonly _widths = new Map<number, number>();
  private _model: RowsModel;
  private _failed: (error: unknown) => void = () => {};
  private _first = 0;
  private _last = 0;
}

/** Tab leaves the grid, as it leaves everything else on the page; Enter and arrows move in it. */
class RowsKeyHandler extends BasicKeyHandler {
  constructor(grid: RowsGrid) {
    super();
    this._grid = grid;
  }

  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      event.preventDefault();
      event.stopPropagation();
      this._grid.menuAtCursor();
    } else if (event.key !== 'Tab') {
      super.onKeyDown(grid, event);
    }
  }

  private readonly _grid: RowsGrid;
}

/** A click on a header sorts; near its edge it is the beginning of a resize, as ever. */
class RowsMouseHandler extends BasicMouseHandler {
  constructor(grid: RowsGrid) {
    super();
    this._grid = grid;
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY);
    this._down =
      event.button === 0 &&
      hit.region === 'column-header' &&
      hit.x > EDGE &&
      hit.width - hit.x > EDGE
        ? { column: hit.column, x: event.clientX, y: event.clientY }
        : undefined;
    super.onMouseDown(grid, event);
  }

  override onMouseUp(grid: DataGrid, event: MouseEvent): void {
    super.onMouseUp(grid, event);
    const down = this._down;
    this._down = undefined;
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) < EDGE) {
      this._grid.headerClicked(down.column, event.shiftKey);
    }
  }

  override onContextMenu(grid: DataGrid, event: MouseEvent): void {
    // JupyterLab's own menu knows nothing of cells.
    event.preventDefault();
    event.stopPropagation();
    const { region, row, column } = grid.hitTest(event.clientX, event.clientY);
    this._grid.menuAsked(region, row, column, event.clientX, event.clientY);
  }

  private readonly _grid: RowsGrid;
  private _down: { column: number; x: number; y: number } | undefined;
}

/** Pixels at a header's edge that are for resizing, and that a click may wander. */
const EDGE = 6;
