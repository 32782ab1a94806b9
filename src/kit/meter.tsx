import { classes } from './classes';
import { PALETTE } from './palette';

export interface MeterProps {
  /** In [0, 1]. */
  share: number;
  label: string;
  /** What screen readers say of the value. */
  text: string;
  /** From this share on it needs attention. */
  high?: number;
}

/** A bar that is filled by a share. */
export function Meter({ share, label, text, high = 0.9 }: MeterProps): JSX.Element {
  const value = Math.max(0, Math.min(1, share));
  return (
    <div
      className={classes('pj-Meter', value >= high && 'pj-mod-high')}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value * 100)}
      aria-valuetext={text}
    >
      <div className="pj-Meter-fill" style={{ width: `${value * 100}%` }} />
    </div>
  );
}

export interface SparklineProps {
  values: readonly (number | null)[];
  /** The value at the lower edge; the smallest value when left out. */
  min?: number;
  max?: number;
  width?: number;
  height?: number;
  color?: string;
  /** What it shows, for screen readers. */
  label: string;
}

/** The shape of a series in the height of a line of text. */
export function Sparkline(props: SparklineProps): JSX.Element {
  const { values, width = 80, height = 20, color = PALETTE[0], label } = props;
  const finite = values.filter((value): value is number => value !== null && isFinite(value));
  const min = props.min ?? Math.min(...finite);
  const max = props.max ?? Math.max(...finite);
  const span = max - min || 1;
  const step = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  let path = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (value === null || !isFinite(value)) {
      pen = 'M';
      return;
    }
    const y = height - 1 - ((Math.max(min, Math.min(max, value)) - min) / span) * (height - 2);
    path += `${pen}${(1 + index * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return (
    <svg
      className="pj-Sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={path} fill="none" stroke={color} strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}
