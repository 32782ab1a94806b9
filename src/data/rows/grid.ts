/** The grid itself: a chunk of its own, loaded with the first table that somebody looks at. */
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  CellRenderer,
  DataGrid,
  type GraphicsContext,
  TextRenderer
} from '@lumino/datagrid';
import type { IMessageHandler, Message } from '@lumino/messaging';

import { isNumeric } from '../types';
import { cellText } from './cells';
import { RowsModel, type ICellMetadata } from './model';
import { gridTheme, type IGridTheme } from './theme';

/** The cell that the cursor is on, in words. */
export interface ICursor {
  row: number;
  column: string;
  value: string;
}

export namespace RowsGrid {
  export interface IOptions extends RowsModel.IOptions {
    /** What is declared about a column, such as that it is the target; shown beside its type. */
    note(column: string): string;
    /** Called with the first and last row in view, from 1, and with the cell under the cursor. */
    viewed(first: number, last: number): void;
    cursor(cell: ICursor | null): void;
    copy(text: string): void;
    /** Called instead of copying when more cells than this are selected. */
    copyRefused(limit: number): void;
  }
}

/** More cells than this are no reading matter: they are read in the notebook. */
const MAX_COPIED = 100_000;
/** The rows that say how wide the columns are. */
const SAMPLED = 100;
/** Text that is longer is read in the status line, or in a column that is drawn wider. */
const MAX_WIDTH = 320;

/** The rows of one dataset version. */
export class RowsGrid extends DataGrid {
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
    this.addClass('pj-rows-grid');
    this._model = new RowsModel(options);
    this.dataModel = this._model;
    this.keyHandler = new RowsKeyHandler();
    this.mouseHandler = new BasicMouseHandler();
    this.selectionModel = new BasicSelectionModel({ dataModel: this._model });
    this.selectionModel.changed.connect(() => void this._tellCursor());
    this._model.changed.connect(() => void this._tellCursor());
    this._applyTheme(theme);
    this.filled = this._model.sample(SAMPLED).then(
      texts => this._sizeColumns(theme, texts),
      (error: unknown) => {
        this._sizeColumns(theme, []);
        options.failed(error);
      }
    );
  }

  /** Resolves when the first rows are here, and the columns are as wide as they need. */
  readonly filled: Promise<void>;

  /** Read the theme again. */
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
      .then(text => this._options.copy(text), this._options.failed);
  }

  private _applyTheme(theme: IGridTheme): void {
    this.style = theme.style;
    const headers = new HeaderRenderer(theme, this._options.note);
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

  private _sizeColumns(theme: IGridTheme, texts: readonly (readonly string[])[]): void {
    const letter = theme.size * 0.61;
    this._model.columns.forEach((column, index) => {
      const note = this._options.note(column.name);
      const type = note === '' ? column.type : `${column.type} · ${note}`;
      const letters = Math.max(
        column.name.length,
        type.length * 0.85,
        ...(texts[index] ?? []).map(text => text.length)
      );
      const width = letters * letter + 2 * PADDING + 6;
      this.resizeColumn('body', index, Math.round(Math.min(MAX_WIDTH, Math.max(72, width))));
    });
    const digits = this._model.rowCount('body').toLocaleString().length;
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
    const found = row < 0 || column < 0 ? undefined : this._model.columns[column];
    if (!found) {
      this._options.cursor(null);
      return;
    }
    const value = this._model.data('body', row, column);
    const { write } = this._model.metadata('body', row, column);
    const { text, quiet } = cellText(value, write);
    this._options.cursor({
      row: row + 1,
      column: found.name,
      value: quiet ? text : write(value)
    });
  }

  private readonly _options: RowsGrid.IOptions;
  private readonly _model: RowsModel;
  private _first = 0;
  private _last = 0;
}

/** Tab leaves the grid, as it leaves everything else on the page; Enter and arrows move in it. */
class RowsKeyHandler extends BasicKeyHandler {
  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    if (event.key !== 'Tab') {
      super.onKeyDown(grid, event);
    }
  }
}

class BodyRenderer extends TextRenderer {
  constructor(theme: IGridTheme) {
    super({
      font: theme.font,
      textColor: config => (shown(config).quiet ? theme.quiet : theme.text),
      horizontalAlignment: config =>
        isNumeric(metadataOf(config).column?.type ?? '') ? 'right' : 'left',
      format: config => shown(config).text,
      elideDirection: 'right'
    });
  }
}

function metadataOf(config: CellRenderer.CellConfig): ICellMetadata {
  return config.metadata as ICellMetadata;
}

function shown(config: CellRenderer.CellConfig): ReturnType<typeof cellText> {
  return cellText(config.value, metadataOf(config).write);
}

/** The name of a column, and under it its type and what is declared about it. */
class HeaderRenderer extends TextRenderer {
  constructor(theme: IGridTheme, note: (column: string) => string) {
    super({ font: theme.headerFont, textColor: theme.header });
    this._theme = theme;
    this._note = note;
  }

  override drawText(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    if (config.region !== 'column-header') {
      return;
    }
    const { column } = metadataOf(config);
    const right = isNumeric(column?.type ?? '');
    const x = right ? config.x + config.width - PADDING : config.x + PADDING;
    const room = config.width - 2 * PADDING;
    const middle = config.y + config.height / 2;
    const note = column ? this._note(column.name) : '';
    gc.textAlign = right ? 'right' : 'left';
    gc.textBaseline = 'bottom';
    gc.font = this._theme.headerFont;
    gc.fillStyle = this._theme.header;
    gc.fillText(fitted(gc, String(config.value), room), x, middle + 1);
    gc.textBaseline = 'top';
    gc.font = this._theme.typeFont;
    gc.fillStyle = this._theme.quiet;
    const type = column?.type ?? '';
    gc.fillText(fitted(gc, note ? `${type} · ${note}` : type, room), x, middle + 3);
  }

  private readonly _theme: IGridTheme;
  private readonly _note: (column: string) => string;
}

const PADDING = 8;

function fitted(gc: GraphicsContext, text: string, room: number): string {
  if (gc.measureText(text).width <= room) {
    return text;
  }
  let end = text.length;
  while (end > 0 && gc.measureText(text.slice(0, end) + '…').width > room) {
    end--;
  }
  return text.slice(0, end) + '…';
}
