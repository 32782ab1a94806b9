/** A grid that paints straight onto its canvas. */
import { DataGrid, type DataModel, GraphicsContext, type SectionList } from '@lumino/datagrid';

/**
 * A data grid without merged cells, stretched sections and cells that load by themselves.
 *
 * #### Notes
 * Lumino draws each cell into a buffer and copies it onto the canvas from there. Where no GPU
 * draws, each copy of a cell copies the whole buffer first: 6 MB for each of a hundred cells that
 * a turn of the wheel shows. Here a column is clipped once, and its cells are drawn in place.
 */
export class DirectGrid extends DataGrid {
  protected override paintContent(x: number, y: number, width: number, height: number): void {
    const gc = this.canvasGC;
    // Lumino keeps to itself for which screen it has made the canvas: the size tells.
    const ratio = gc.canvas.width / parseFloat(gc.canvas.style.width);
    gc.setTransform(ratio, 0, 0, ratio, 0, 0);
    gc.clearRect(x, y, width, height);
    fill(gc, this.style.voidColor, x, y, width, height);

    const { headerWidth: left, headerHeight: top } = this;
    const [right, bottom] = [x + width, y + height];
    const scrolled = this._scrolled();
    const columns = inSight(this.columnSections, left - scrolled.x, Math.max(x, left), right);
    const rows = inSight(this.rowSections, top - scrolled.y, Math.max(y, top), bottom);
    const beside = inSight(this.rowHeaderSections, 0, x, Math.min(right, left));
    const above = inSight(this.columnHeaderSections, 0, y, Math.min(bottom, top));
    this._paintRegion('body', columns, rows);
    this._paintRegion('row-header', beside, rows);
    this._paintRegion('column-header', columns, above);
    this._paintRegion('corner-header', beside, above);
  }

  /**
   * How far the canvas is scrolled. `scrollX` and `scrollY` are where it shall be: in between,
   * one axis is moved after the other, and what is painted has to fit to the rest.
   */
  private _scrolled(): { x: number; y: number } {
    const box = this.viewport.node.getBoundingClientRect();
    const [x, y] = [box.left + this.headerWidth + 0.5, box.top + this.headerHeight + 0.5];
    const hit = this.hitTest(x, y);
    return hit.region !== 'body'
      ? { x: this.scrollX, y: this.scrollY }
      : {
          x: this.columnOffset('body', hit.column) + Math.floor(hit.x),
          y: this.rowOffset('body', hit.row) + Math.floor(hit.y)
        };
  }

  private _paintRegion(region: DataModel.CellRegion, columns: ISections, rows: ISections): void {
    if (columns.end <= columns.begin || rows.end <= rows.begin) {
      return;
    }
    const gc = this.canvasGC;
    const { style } = this;
    const header = region !== 'body';
    const background = header ? style.headerBackgroundColor : style.backgroundColor;
    const { begin: left, end: right } = columns;
    const { begin: top, end: bottom } = rows;
    fill(gc, background, left, top, right - left, bottom - top);
    gc.save();
    columns.edges.slice(1).forEach((edge, index) => {
      const begin = Math.max(left, columns.edges[index]!);
      gc.save();
      gc.beginPath();
      gc.rect(begin, top, Math.min(right, edge) - begin, bottom - top);
      gc.clip();
      this._paintColumn(region, columns.first + index, columns.edges[index]!, edge, rows);
      gc.restore();
    });
    gc.restore();
    const across = header ? style.headerHorizontalGridLineColor : style.horizontalGridLineColor;
    const down = header ? style.headerVerticalGridLineColor : style.verticalGridLineColor;
    const other = header ? style.headerGridLineColor : style.gridLineColor;
    for (const edge of rows.edges.slice(1)) {
      if (edge <= bottom) {
        fill(gc, across ?? other, left, edge - 1, right - left, 1);
      }
    }
    for (const edge of columns.edges.slice(1)) {
      if (edge <= right) {
        fill(gc, down ?? other, edge - 1, top, 1, bottom - top);
      }
    }
  }

  private _paintColumn(
    region: DataModel.CellRegion,
    column: number,
    left: number,
    right: number,
    rows: ISections
  ): void {
    const model = this.dataModel;
    if (model === null) {
      return;
    }
    const gc = new GraphicsContext(this.canvasGC);
    rows.edges.slice(1).forEach((edge, index) => {
      const y = rows.edges[index]!;
      const row = rows.first + index;
      if (edge === y) {
        return;
      }
      const config = {
        x: left,
        y,
        width: right - left,
        height: edge - y,
        region,
        row,
        column,
        value: model.data(region, row, column) as unknown,
        metadata: model.metadata(region, row, column)
      };
      gc.save();
      this.cellRenderers.get(config).paint(gc, config);
      gc.restore();
    });
    gc.dispose();
  }
}

/** Rows or columns that are painted, and the pixels that may be touched. */
interface ISections {
  first: number;
  /** Where each begins, and where the last one ends. */
  edges: number[];
  begin: number;
  end: number;
}

/** Find what lies between two pixels. */
function inSight(sections: SectionList, shift: number, begin: number, end: number): ISections {
  const last = Math.min(end, sections.length + shift);
  if (last <= begin) {
    return { first: 0, edges: [], begin, end: begin };
  }
  const first = sections.indexOf(begin - shift);
  const edges = [sections.offsetOf(first) + shift];
  for (let index = first, edge = edges[0]!; edge < last; index++) {
    edge += sections.sizeOf(index);
    edges.push(edge);
  }
  return { first, edges, begin, end: last };
}

function fill(
  gc: CanvasRenderingContext2D,
  color: string | undefined,
  x: number,
  y: number,
  width: number,
  height: number
): void {
  if (color !== undefined && color !== '') {
    gc.fillStyle = color;
    gc.fillRect(x, y, width, height);
  }
}
