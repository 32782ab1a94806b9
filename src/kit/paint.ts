import type uPlot from 'uplot';

import { firstFrom, lastIndex } from './lines';
import type { ChartProps, ChartSeries } from './series';

/** How the parts of a chart are drawn that are its own, on the canvas of a plot. */
export interface Paint {
  props: ChartProps;
  /** One a line. */
  colors: readonly string[];
  /** The colour and the font of what is written. */
  text: string;
  font: string;
  lit: string | undefined;
  /** The last x that is shown. */
  end: number;
}

/** More lines than these are not named at their ends: the names would lie over each other. */
const NAMED = 8;

/** Longer names are cut, and whole on hover. */
const LONGEST = 20;

/** The lines that are named at their ends. */
export function named(series: readonly ChartSeries[]): readonly ChartSeries[] {
  const found = series.filter(one => one.faint !== true && lastIndex(one) >= 0);
  return found.length > NAMED ? [] : found;
}

/** What a line is called at its end. */
export function endName({ label }: ChartSeries): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
}

/** All lines; what is lit lies above the others, which step back. */
export function drawLines(plot: uPlot, paint: Paint): void {
  const { ctx, bbox } = plot;
  const { series } = paint.props;
  const lit = series.some(one => one.key === paint.lit) ? paint.lit : undefined;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const above of [false, true]) {
    series.forEach((one, index) => {
      if ((one.key === lit) === above) {
        const strength = lit === undefined || above ? 1 : 0.2;
        drawLine(plot, paint, one, paint.colors[index] ?? '', strength);
      }
    });
  }
  ctx.restore();
}

function drawLine(
  plot: uPlot,
  paint: Paint,
  one: ChartSeries,
  color: string,
  strength: number
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const { log = false, time = false } = paint.props;
  const { x, y } = one;
  const { min: xMin = 0, max: xMax = 1 } = plot.scales['x']!;
  const { min: yMin = 0, max: yMax = 1 } = plot.scales['y']!;
  const place = log ? Math.log10 : plain;
  const yLow = place(yMin);
  const xFactor = bbox.width / (xMax - xMin || 1);
  const yFactor = bbox.height / (place(yMax) - yLow || 1);
  const bottom = bbox.top + bbox.height;
  const lone: [number, number][] = [];
  ctx.beginPath();
  let run = 0;
  let lastX = 0;
  let lastY = 0;
  // One point on either side of what is shown: the line leaves through the frame.
  const from = Math.max(0, firstFrom(x, xMin) - 1);
  const close = (): void => {
    if (run === 1) {
      lone.push([lastX, lastY]);
    }
    run = 0;
  };
  for (let index = from; index < x.length; index += 1) {
    const value = y[index];
    if (value == null || !Number.isFinite(value) || (log && value <= 0)) {
      // A gap in time is a gap; elsewhere a step without a value is passed over.
      if (time) {
        close();
      }
      continue;
    }
    lastX = bbox.left + (x[index]! - xMin) * xFactor;
    lastY = bottom - (place(value) - yLow) * yFactor;
    if (run === 0) {
      ctx.moveTo(lastX, lastY);
    } else {
      ctx.lineTo(lastX, lastY);
    }
    run += 1;
    if (one.dots === true) {
      close();
    }
    if (x[index]! > xMax) {
      break;
    }
  }
  close();
  ctx.globalAlpha = strength * (one.faint === true ? 0.25 : 1);
  ctx.strokeStyle = color;
  ctx.lineWidth = (paint.lit === one.key && one.faint !== true ? 2.5 : 1.5) * ratio;
  ctx.lineJoin = 'round';
  ctx.stroke();
  // A line through one point has no length: the point itself is drawn.
  ctx.fillStyle = color;
  for (const [left, top] of lone) {
    ctx.beginPath();
    ctx.arc(left, top, 2.5 * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

/** The target, the marks, and the name of each line at its end. */
export function annotate(plot: uPlot, paint: Paint): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const { target, marks = [] } = paint.props;
  ctx.save();
  ctx.font = paint.font.replace('11px', `${11 * ratio}px`);
  ctx.fillStyle = paint.text;
  ctx.strokeStyle = paint.text;
  ctx.lineWidth = ratio;
  if (target !== undefined && (paint.props.log !== true || target.value > 0)) {
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
  nameEnds(plot, paint);
  ctx.restore();
}

function nameEnds(plot: uPlot, paint: Paint): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const ends = named(paint.props.series)
    .map(one => ({ one, at: lastIndex(one, paint.end) }))
    .filter(({ one, at }) => at >= 0 && (paint.props.log !== true || one.y[at]! > 0))
    .map(({ one, at }) => ({
      label: endName(one),
      color: paint.colors[paint.props.series.indexOf(one)] ?? '',
      lit: paint.lit === undefined || paint.lit === one.key,
      x: plot.valToPos(one.x[at] ?? 0, 'x', true),
      y: Math.max(bbox.top, Math.min(bottom, plot.valToPos(one.y[at] ?? 0, 'y', true)))
    }))
    .sort((left, right) => left.y - right.y);
  let floor = -Infinity;
  for (const end of ends) {
    // Names of lines that end close to each other are moved apart.
    const y = Math.max(end.y, floor + 12 * ratio);
    floor = y;
    ctx.globalAlpha = end.lit ? 1 : 0.3;
    ctx.fillStyle = end.color;
    ctx.fillText(end.label, Math.min(end.x, bbox.left + bbox.width) + 6 * ratio, y);
  }
  ctx.globalAlpha = 1;
}

function plain(value: number): number {
  return value;
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
