import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { locale } from '../api/language';
import { absolute, figure } from './format';
import { colorOf } from './palette';
import type { ChartProps, ChartSeries } from './series';

/** The part of the x axis that somebody has dragged over. */
export type Zoom = readonly [number, number];

/** The plots by what uPlot knows of them, for a zoom is that of all that are in step. */
const PLOTS = new WeakMap<uPlot, Plot>();

/** A chart on a node. Loaded only when a chart is in view. */
export class Plot {
  constructor(node: HTMLElement, props: ChartProps, zoom?: Zoom) {
    this._node = node;
    this._zoom = zoom;
    this._props = props;
    this._colors = props.series.map(one => one.color ?? colorOf(one.key));
    const style = getComputedStyle(node);
    this._text = style.getPropertyValue('--jp-ui-font-color2').trim();
    this._line = style.getPropertyValue('--jp-border-color2').trim();
    this._font = `11px ${style.fontFamily}`;
    this._tip = document.createElement('div');
    this._tip.className = 'pj-Chart-tip';
    this._tip.hidden = true;
    this._plot = new uPlot(this._options(), align(props.series), node);
    this._plot.over.appendChild(this._tip);
    PLOTS.set(this._plot, this);
  }

  /** What part is shown; undefined for all of it. New values do not change it. */
  get zoom(): Zoom | undefined {
    return this._zoom;
  }

  /** Draw other values of the same lines. */
  update(props: ChartProps): void {
    this._props = props;
    this._plot.setData(align(props.series));
  }

  resize(): void {
    const width = this._node.clientWidth;
    if (width > 0 && width !== this._plot.width) {
      this._plot.setSize({ width, height: this._plot.height });
    }
  }

  dispose(): void {
    this._plot.destroy();
  }

  private _options(): uPlot.Options {
    const { height = 180, time = false, sync } = this._props;
    const axis: uPlot.Axis = {
      stroke: this._text,
      font: this._font,
      labelFont: this._font,
      grid: { stroke: this._line, width: 1 },
      ticks: { stroke: this._line, width: 1, size: 4 }
    };
    return {
      width: Math.max(1, this._node.clientWidth),
      height,
      ms: 1,
      legend: { show: false },
      // Room for what is written at the ends of the lines.
      padding: [10, this._endRoom(), 0, 0],
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => this._onDoubleClick },
        ...(sync === undefined ? {} : { sync: { key: `perijove:${sync}` } })
      },
      scales: {
        x: { time, range: (_, low, high) => this._xRange(low, high) },
        y: { range: (_, low, high) => this._yRange(low, high) }
      },
      axes: [
        {
          ...axis,
          size: this._props.xLabel === undefined ? 28 : 24,
          ...(time ? { values: timeTicks } : {}),
          ...this._xLabel()
        },
        {
          ...axis,
          size: 52,
          values: (_, ticks) => ticks.map(tick => this._format(tick))
        }
      ],
      series: [
        {},
        ...this._props.series.map((one, index) => ({
          label: one.label,
          stroke: this._colors[index] ?? '',
          width: 1.5,
          spanGaps: !time,
          // A line through one point has no length: the point itself is drawn.
          points: {
            size: 5,
            show: false,
            filter: (plot: uPlot, line: number) => lonePoints(plot.data[line] ?? [])
          }
        }))
      ],
      hooks: {
        draw: [plot => this._annotate(plot)],
        setCursor: [plot => this._point(plot)],
        setSelect: [plot => this._onSelect(plot)]
      }
    };
  }

  private _xLabel(): Partial<uPlot.Axis> {
    return this._props.xLabel === undefined ? {} : { label: this._props.xLabel, labelSize: 16 };
  }

  private _endRoom(): number {
    const longest = Math.max(0, ...this._props.series.map(one => one.label.length));
    return Math.min(140, 16 + longest * 6);
  }

  private _xRange(low: number | null, high: number | null): uPlot.Range.MinMax {
    const xRange = this._zoom ?? this._props.xRange;
    if (xRange !== undefined) {
      return [xRange[0], xRange[1]];
    }
    if (low === null || high === null) {
      return [0, 1];
    }
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  }

  private _yRange(low: number | null, high: number | null): uPlot.Range.MinMax {
    const { target, yFrom } = this._props;
    const values = [low, high, target?.value, yFrom].filter(
      (value): value is number => typeof value === 'number' && Number.isFinite(value)
    );
    if (values.length === 0) {
      return [0, 1];
    }
    const min = Math.min(...values);
    const max = Math.max(...values);
    if (min === max && min === yFrom) {
      return [min, min + 1];
    }
    const room = (max - min || Math.abs(max) || 1) * 0.06;
    return [min === yFrom ? min : min - room, max + room];
  }

  private readonly _onDoubleClick = (): null => {
    this._zoomTo(undefined);
    return null;
  };

  /** Somebody has dragged over a part of the axis. */
  private _onSelect(plot: uPlot): void {
    const { left, width } = plot.select;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width > 0) {
      this._zoomTo([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
    }
  }

  /** Show a part of the axis, or all of it, here and where the cursor is in step with this. */
  private _zoomTo(zoom: Zoom | undefined): void {
    const { sync } = this._props;
    const together = sync === undefined ? [this._plot] : uPlot.sync(`perijove:${sync}`).plots;
    for (const other of new Set([this._plot, ...together])) {
      const plot = PLOTS.get(other);
      if (plot !== undefined) {
        plot._zoom = zoom;
        other.setData(other.data);
      }
    }
  }

  private _format(value: number): string {
    return this._props.format?.(value) ?? figure(value);
  }

  /** The target, the marks, and the name of each line at its end. */
  private _annotate(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const { target, marks = [], series } = this._props;
    ctx.save();
    ctx.font = this._font.replace('11px', `${11 * ratio}px`);
    ctx.fillStyle = this._text;
    ctx.strokeStyle = this._text;
    ctx.lineWidth = ratio;
    if (target !== undefined) {
      const y = plot.valToPos(target.value, 'y', true);
      ctx.setLineDash([5 * ratio, 4 * ratio]);
      stroke(ctx, bbox.left, y, bbox.left + bbox.width, y);
      ctx.textAlign = 'left';
      ctx.textBaseline = 'bottom';
      ctx.fillText(target.label, bbox.left + 4 * ratio, y - 2 * ratio);
    }
    for (const mark of marks) {
      const x = plot.valToPos(mark.x, 'x', true);
      if (x >= bbox.left && x <= bbox.left + bbox.width) {
        ctx.setLineDash([2 * ratio, 3 * ratio]);
        stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
        ctx.textAlign = 'left';
        ctx.textBaseline = 'top';
        ctx.fillText(mark.label, x + 3 * ratio, bbox.top);
      }
    }
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    const ends = series
      .map((one, index) => ({ one, index, at: lastIndex(one) }))
      .filter(end => end.at >= 0)
      .map(({ one, index, at }) => ({
        label: one.label,
        color: this._colors[index] ?? '',
        x: plot.valToPos(one.x[at] ?? 0, 'x', true),
        y: plot.valToPos(one.y[at] ?? 0, 'y', true)
      }))
      .sort((left, right) => left.y - right.y);
    let floor = -Infinity;
    for (const end of ends) {
      // Names of lines that end close to each other are moved apart.
      const y = Math.max(end.y, floor + 12 * ratio);
      floor = y;
      ctx.fillStyle = end.color;
      ctx.fillText(end.label, Math.min(end.x, bbox.left + bbox.width) + 6 * ratio, y);
    }
    ctx.restore();
  }

  /** All values under the cursor, as text. */
  private _point(plot: uPlot): void {
    const { left = -1, idx } = plot.cursor;
    const x = idx === null || idx === undefined ? undefined : plot.data[0][idx];
    if (left < 0 || idx === null || idx === undefined || x === undefined) {
      this._tip.hidden = true;
      return;
    }
    const { time = false, xLabel = '', series } = this._props;
    const lines = series.map((one, index) => {
      const row = document.createElement('div');
      const dot = document.createElement('span');
      dot.className = 'pj-Chart-dot';
      dot.style.background = this._colors[index] ?? '';
      const value = plot.data[index + 1]?.[idx];
      const text = value === null || value === undefined ? '–' : this._format(value);
      row.append(dot, `${one.label} ${text}`);
      return row;
    });
    const head = document.createElement('div');
    head.className = 'pj-Chart-at';
    head.textContent = time ? absolute(x) : `${xLabel} ${x.toLocaleString(locale())}`.trim();
    this._tip.replaceChildren(head, ...lines);
    this._tip.hidden = false;
    const width = this._tip.offsetWidth;
    const room = plot.over.clientWidth;
    const shift = left + 12 + width > room ? left - 12 - width : left + 12;
    this._tip.style.transform = `translate(${Math.max(-40, shift)}px, 4px)`;
  }

  private readonly _node: HTMLElement;
  private readonly _plot: uPlot;
  private readonly _tip: HTMLElement;
  private readonly _colors: string[];
  private readonly _text: string;
  private readonly _line: string;
  private readonly _font: string;
  private _props: ChartProps;
  private _zoom: Zoom | undefined;
}

/** Bring series with x values of their own onto one x axis. */
function align(series: readonly ChartSeries[]): uPlot.AlignedData {
  const tables = series.map(one => [[...one.x], one.y.map(finite)] as uPlot.AlignedData);
  return tables.length === 0 ? [[]] : tables.length === 1 ? tables[0]! : uPlot.join(tables);
}

/** Indices of values that have no value on either side. */
function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const lone: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] != null && values[index - 1] == null && values[index + 1] == null) {
      lone.push(index);
    }
  }
  return lone;
}

/** Times of day in one line; dates where the axis is longer than a day. */
function timeTicks(_: uPlot, ticks: number[]): string[] {
  const span = (ticks[ticks.length - 1] ?? 0) - (ticks[0] ?? 0);
  return ticks.map(tick =>
    span > 86_400_000
      ? new Date(tick).toLocaleDateString(locale(), { month: 'short', day: 'numeric' })
      : new Date(tick).toLocaleTimeString(locale(), {
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23'
        })
  );
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function lastIndex(series: ChartSeries): number {
  for (let index = series.y.length - 1; index >= 0; index -= 1) {
    if (finite(series.y[index] ?? null) !== null) {
      return index;
    }
  }
  return -1;
}

function stroke(
  ctx: CanvasRenderingContext2D,
  x0: number,
  y0: number,
  x1: number,
  y1: number
): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
