import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { locale } from '../api/language';
import { absolute, figure } from './format';
import { readAt, xEnds, yEnds, type Reading } from './lines';
import { annotate, drawLines, endName, named } from './paint';
import { colorOf } from './palette';
import type { ChartProps, ChartSeries, Zoom } from './series';
import { Tip } from './tip';

/** The plots by what uPlot knows of them, for a zoom is that of all that are in step. */
const PLOTS = new WeakMap<uPlot, Plot>();

/** The pointer is at a line when it is so near, in pixels. */
const NEAR = 24;

/**
 * A chart on a node. Loaded only when a chart is in view.
 *
 * #### Notes
 * uPlot gives the axes, the scales, the pointer and the selection. The lines are drawn here, each
 * from points of its own: uPlot wants one x axis for all, and twenty down-sampled runs have hardly
 * a step in common, so that bringing them onto one costs more than all of the drawing.
 */
export class Plot {
  constructor(node: HTMLElement, props: ChartProps, zoom?: Zoom) {
    this._node = node;
    this._zoom = props.onZoom === undefined ? zoom : props.zoom;
    this._props = props;
    this._colors = colorsOf(props.series);
    const style = getComputedStyle(node);
    this._text = style.getPropertyValue('--jp-ui-font-color2').trim();
    this._line = style.getPropertyValue('--jp-border-color2').trim();
    this._font = `11px ${style.fontFamily}`;
    this._plot = new uPlot(this._options(), this._extent(), node);
    PLOTS.set(this._plot, this);
  }

  /** What part is shown; undefined for all of it. New values do not change it. */
  get zoom(): Zoom | undefined {
    return this._zoom;
  }

  /** Draw other values, or other lines. */
  update(props: ChartProps): void {
    this._props = props;
    this._colors = colorsOf(props.series);
    if (props.onZoom !== undefined) {
      this._zoom = props.zoom;
    }
    this._plot.setData(this._extent());
  }

  /** Let one line stand out. */
  light(key: string | undefined): void {
    if (this._lit !== key) {
      this._lit = key;
      this._plot.redraw(false, false);
    }
  }

  resize(): void {
    const width = this._node.clientWidth;
    if (width > 0 && width !== this._plot.width) {
      this._plot.setSize({ width, height: this._plot.height });
    }
  }

  dispose(): void {
    this._plot.destroy();
    this._tip.dispose();
  }

  /** The ends of the x axis are all that uPlot is told of the data. */
  private _extent(): uPlot.AlignedData {
    const [low, high] = xEnds(this._props.series) ?? [0, 1];
    return [
      [low, high],
      [null, null]
    ];
  }

  private _options(): uPlot.Options {
    const { height = 180, time = false, log = false, sync, formatX } = this._props;
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
      padding: [10, () => this._endRoom(), 0, 0],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => this._onDoubleClick },
        ...(sync === undefined ? {} : { sync: { key: `perijove:${sync}` } })
      },
      scales: {
        x: { time, range: (_, low, high) => this._xRange(low, high) },
        y: { distr: log ? 3 : 1, range: () => this._yRange() }
      },
      axes: [
        {
          ...axis,
          size: this._props.xLabel === undefined ? 28 : 24,
          ...(time ? { values: timeTicks } : {}),
          ...(formatX === undefined ? {} : { values: (_, ticks) => ticks.map(formatX) }),
          ...this._xLabel()
        },
        {
          ...axis,
          size: 52,
          values: (_, ticks) => ticks.map(tick => (tick === null ? '' : this._format(tick)))
        }
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [plot => this._draw(plot)],
        setCursor: [plot => this._point(plot)],
        setSelect: [plot => this._onSelect(plot)]
      }
    };
  }

  private _xLabel(): Partial<uPlot.Axis> {
    return this._props.xLabel === undefined ? {} : { label: this._props.xLabel, labelSize: 16 };
  }

  private _endRoom(): number {
    const longest = Math.max(0, ...named(this._props.series).map(one => endName(one).length));
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

  private _yRange(): uPlot.Range.MinMax {
    const { series, target, yFrom, log = false } = this._props;
    const [from, to] = this._zoom ?? this._props.xRange ?? [-Infinity, Infinity];
    const values = [...(yEnds(series, from, to, log) ?? []), target?.value, yFrom].filter(
      (value): value is number =>
        typeof value === 'number' && Number.isFinite(value) && (!log || value > 0)
    );
    if (values.length === 0) {
      return log ? [0.1, 1] : [0, 1];
    }
    const min = Math.min(...values);
    const max = Math.max(...values);
    if (log) {
      const room = Math.max(1.1, Math.pow(max / min, 0.04));
      return [min / room, max * room];
    }
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
    // In step, every chart hears of it; only that under the pointer tells.
    if (width > 0 && plot.over.matches(':hover')) {
      this._zoomTo([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
    }
  }

  /** Show a part of the axis, or all of it, here and where the cursor is in step with this. */
  private _zoomTo(zoom: Zoom | undefined): void {
    if (this._props.onZoom !== undefined) {
      this._props.onZoom(zoom);
      return;
    }
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

  /** The lines, the target, the marks, and the name of each line at its end. */
  private _draw(plot: uPlot): void {
    const paint = {
      props: this._props,
      colors: this._colors,
      text: this._text,
      font: this._font,
      lit: this._lit,
      end: this._zoom?.[1] ?? Infinity
    };
    drawLines(plot, paint);
    annotate(plot, paint);
    this._tell();
  }

  /** What was drawn, for who looks from outside: the last x of all lines. */
  private _tell(): void {
    const ends = xEnds(this._props.series);
    this._node.dataset['lines'] = String(this._props.series.length);
    this._node.dataset['lastX'] = ends === null ? '' : String(ends[1]);
  }

  /** All values under the cursor, as text, the largest first. */
  private _point(plot: uPlot): void {
    const { left = -1, top = -1 } = plot.cursor;
    const { series, onLit } = this._props;
    const here = plot.over.matches(':hover');
    if (left < 0 || series.length === 0) {
      this._tip.hide();
      if (this._pointed !== undefined) {
        this._pointed = undefined;
        onLit?.(undefined);
      }
      return;
    }
    // Charts in step each tell their values, unless that would cover all of them.
    if (!here && series.length > 4) {
      this._tip.hide();
      return;
    }
    const at = plot.posToVal(left, 'x');
    const { min = 0, max = 1 } = plot.scales['x']!;
    const readings = readAt(series, this._colors, at, (max - min) * 0.02);
    const near = here ? this._nearest(plot, readings, top) : undefined;
    if (here && near !== this._pointed) {
      this._pointed = near;
      onLit?.(near);
    }
    this._tip.show({
      frame: plot.over.getBoundingClientRect(),
      left,
      head: this._placeName(at, readings),
      readings,
      near,
      format: value => this._format(value)
    });
  }

  /** The line that the pointer is at. */
  private _nearest(plot: uPlot, readings: readonly Reading[], top: number): string | undefined {
    let found: string | undefined;
    let least = NEAR;
    for (const { series, value } of readings) {
      if (value !== null && (this._props.log !== true || value > 0)) {
        const away = Math.abs(plot.valToPos(value, 'y') - top);
        if (away < least) {
          least = away;
          found = series.key;
        }
      }
    }
    return found;
  }

  /** The x that the nearest value stands at. */
  private _placeName(at: number, readings: readonly Reading[]): string {
    const { time = false, xLabel = '', formatX } = this._props;
    const snapped = readings.reduce(
      (best, { x, value }) => (value !== null && Math.abs(x - at) < Math.abs(best - at) ? x : best),
      Infinity
    );
    const x = Number.isFinite(snapped) ? snapped : at;
    const said = formatX?.(x) ?? x.toLocaleString(locale(), { maximumFractionDigits: 3 });
    return time ? absolute(x) : `${xLabel} ${said}`.trim();
  }

  private readonly _node: HTMLElement;
  private readonly _plot: uPlot;
  private readonly _tip = new Tip();
  private readonly _text: string;
  private readonly _line: string;
  private readonly _font: string;
  private _colors: string[];
  private _props: ChartProps;
  private _zoom: Zoom | undefined;
  private _lit: string | undefined;
  private _pointed: string | undefined;
}

function colorsOf(series: readonly ChartSeries[]): string[] {
  return series.map(one => one.color ?? colorOf(one.key));
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
