/** Column headers: the name, the type and what is declared, and how the values lie. */
import { type CellRenderer, type GraphicsContext, TextRenderer } from '@lumino/datagrid';

import type { ColumnProfile } from '../../api';
import { isNumeric } from '../types';
import type { ICellMetadata } from './model';
import { GRAPH_HEIGHT, type IGridTheme } from './theme';

export const PADDING = 8;

/** What a header says of its column besides name and type. */
export interface IHeaderFacts {
  /** What is declared, such as that it is the target. */
  note: string;
  profile: ColumnProfile | undefined;
  /** Rows that the profile has seen. */
  seen: number;
  /** Its place among the sort keys, from 1; 0 when it is none. */
  sorted: number;
  descending: boolean;
}

export class HeaderRenderer extends TextRenderer {
  constructor(theme: IGridTheme, facts: (column: string) => IHeaderFacts) {
    super({ font: theme.headerFont, textColor: theme.header });
    this._theme = theme;
    this._facts = facts;
  }

  override drawText(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { column } = config.metadata as ICellMetadata;
    if (config.region !== 'column-header' || column === undefined) {
      return;
    }
    const facts = this._facts(column.name);
    const right = isNumeric(column.type);
    const left = config.x + PADDING;
    const room = config.width - 2 * PADDING;
    const middle = config.y + (config.height - GRAPH_HEIGHT) / 2;
    const mark = facts.sorted === 0 ? '' : sortMark(facts);
    gc.textBaseline = 'bottom';
    gc.font = this._theme.headerFont;
    gc.fillStyle = this._theme.header;
    const marked = mark === '' ? 0 : gc.measureText(` ${mark}`).width;
    const name = fitted(gc, column.name, room - marked);
    gc.textAlign = right ? 'right' : 'left';
    gc.fillText(name + (mark === '' ? '' : ` ${mark}`), right ? left + room : left, middle + 1);
    gc.textBaseline = 'top';
    gc.font = this._theme.typeFont;
    gc.fillStyle = this._theme.quiet;
    const type = facts.note === '' ? column.type : `${column.type} · ${facts.note}`;
    gc.fillText(fitted(gc, type, room), right ? left + room : left, middle + 3);
    this._drawGraph(gc, config, facts);
  }

  private _drawGraph(
    gc: GraphicsContext,
    config: CellRenderer.CellConfig,
    { profile, seen }: IHeaderFacts
  ): void {
    if (profile === undefined) {
      return;
    }
    const left = config.x + PADDING;
    const width = Math.min(config.width - 2 * PADDING, MAX_GRAPH);
    const bottom = config.y + config.height - 5;
    const height = GRAPH_HEIGHT - 10;
    const counts = profile.histogram?.counts ?? [];
    const most = Math.max(...counts, 0);
    if (most > 0) {
      const step = width / counts.length;
      gc.fillStyle = this._theme.bar;
      counts.forEach((count, index) => {
        // What is there is seen, if only as a line.
        const tall = count === 0 ? 0 : Math.max(1, (count / most) * height);
        gc.fillRect(left + index * step, bottom - tall, Math.max(1, step - 1), tall);
      });
    }
    if (profile.nulls !== null && profile.nulls > 0 && seen > 0) {
      gc.fillStyle = this._theme.missing;
      gc.fillRect(left, bottom + 1, Math.max(2, (width * profile.nulls) / seen), 2);
    }
  }

  private readonly _theme: IGridTheme;
  private readonly _facts: (column: string) => IHeaderFacts;
}

const MAX_GRAPH = 160;

function sortMark({ sorted, descending }: IHeaderFacts): string {
  return `${descending ? '▼' : '▲'}${sorted > 1 ? sorted : ''}`;
}

/** As much of a text as there is room for. */
export function fitted(gc: GraphicsContext, text: string, room: number): string {
  if (gc.measureText(text).width <= room) {
    return text;
  }
  let [fits, fails] = [0, text.length];
  while (fits + 1 < fails) {
    const end = (fits + fails) >> 1;
    if (gc.measureText(text.slice(0, end) + '…').width > room) {
      fails = end;
    } else {
      fits = end;
    }
  }
  return text.slice(0, fits) + '…';
}
