/** What a chart is told. Apart from the chart, for the plot behind it is loaded later. */

export interface ChartSeries {
  key: string;
  /** Written at the end of its line. */
  label: string;
  /** Ascending. Milliseconds since the epoch on a time axis. */
  x: readonly number[];
  /** Null where there is no value. */
  y: readonly (number | null)[];
  /** A colour of the palette by the key when left out. */
  color?: string;
  /** A line behind the others that has no name and no value on hover, such as one not smoothed. */
  faint?: boolean;
  /** Points that no line joins, such as the trials of a search. */
  dots?: boolean;
}

/** A part of the x axis. */
export type Zoom = readonly [number, number];

export interface ChartProps {
  /** What it shows: the heading, and the name for screen readers. */
  title: string;
  series: readonly ChartSeries[];
  /** Name and unit, such as `step`. Not needed on a time axis. */
  xLabel?: string;
  /** Name and unit, such as `latency, ms`. */
  yLabel?: string;
  /** The x values are times. */
  time?: boolean;
  /** Whether the y axis is logarithmic; what is not above zero is not drawn then. */
  log?: boolean;
  /** A dashed line to be reached. */
  target?: { value: number; label: string };
  /** Vertical lines, such as new revisions. */
  marks?: readonly { x: number; label: string }[];
  /** In pixels; 180 when left out. */
  height?: number;
  /** The value that the y axis always shows, such as 0 for counts. */
  yFrom?: number;
  /** Ends of the x axis; those of the data when left out. */
  xRange?: readonly [number, number];
  /** Charts of the same name share their cursor. */
  sync?: string;
  format?: (value: number) => string;
  formatX?: (value: number) => string;
  /** With `onZoom`: the part that is shown. Without, the chart keeps its own. */
  zoom?: Zoom | undefined;
  /** Somebody dragged over a part of the axis, or wants all of it. */
  onZoom?: (zoom: Zoom | undefined) => void;
  /** The line that stands out; the others step back. */
  lit?: string | undefined;
  /** The line under the pointer. */
  onLit?: (key: string | undefined) => void;
}
