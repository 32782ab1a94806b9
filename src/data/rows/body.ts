import { type CellRenderer, type GraphicsContext, TextRenderer } from '@lumino/datagrid';

import { isNumeric } from '../types';
import { cellText } from './cells';
import { fitted, PADDING } from './headers';
import type { ICellMetadata } from './model';
import type { IGridTheme } from './theme';

/** Cells have a font of equal widths: how much of a text fits is counted, not measured. */
export class BodyRenderer extends TextRenderer {
  constructor(theme: IGridTheme) {
    super({ font: theme.font });
    this._theme = theme;
  }

  override drawText(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { text, quiet } = shown(config);
    gc.font = this._theme.font;
    this._letter ??= gc.measureText('0').width;
    const room = config.width - 2 * PADDING;
    const fits = Math.floor(room / this._letter);
    const plain = NARROW.test(text);
    const line = !plain
      ? fitted(gc, text, room)
      : text.length <= fits
        ? text
        : text.slice(0, Math.max(0, fits - 1)) + '…';
    const right = isNumeric(metadataOf(config).column?.type ?? '');
    if (!plain) {
      // Signs may stand above and below their line, in the rows beside it.
      gc.beginPath();
      gc.rect(config.x, config.y, config.width, config.height);
      gc.clip();
    }
    gc.fillStyle = quiet ? this._theme.quiet : this._theme.text;
    gc.textAlign = right ? 'right' : 'left';
    gc.textBaseline = 'middle';
    gc.fillText(
      line,
      right ? config.x + config.width - PADDING : config.x + PADDING,
      config.y + config.height / 2 + 1
    );
  }

  private readonly _theme: IGridTheme;
  private _letter: number | undefined;
}

/** What the font surely has in its one width. */
const NARROW = /^[\x20-\x7e\u00a0-\u017f…↵∞]*$/;

function metadataOf(config: CellRenderer.CellConfig): ICellMetadata {
  return config.metadata as ICellMetadata;
}

function shown(config: CellRenderer.CellConfig): ReturnType<typeof cellText> {
  return cellText(config.value, metadataOf(config).write);
}
