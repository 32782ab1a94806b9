import { classes } from './classes';

export interface BarsProps {
  counts: readonly number[];
  /** What each bar stands for, on hover. */
  labels: readonly string[];
  /** The same bins counted elsewhere, behind the bars; shares of each are compared. */
  behind?: readonly number[];
  width?: number;
  height?: number;
  /** What it shows, for screen readers. */
  label: string;
  className?: string;
}

/** Counts in bins, as bars; in the height of a row or as large as there is room. */
export function Bars(props: BarsProps): JSX.Element {
  const { counts, labels, behind, width = 120, height = 20, label, className } = props;
  const shares = sharesOf(counts);
  const others = behind === undefined ? [] : sharesOf(behind);
  const top = Math.max(...shares, ...others, 0) || 1;
  const step = width / Math.max(1, counts.length);
  const bar = (
    share: number,
    index: number
  ): { x: number; y: number; width: number; height: number } => {
    // What is there is seen, if only as a line.
    const tall = share === 0 ? 0 : Math.max(1, (share / top) * (height - 1));
    return { x: index * step, y: height - tall, width: Math.max(1, step - 1), height: tall };
  };
  return (
    <svg
      className={classes('pj-Bars', className)}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {shares.map((share, index) => (
        <g key={index}>
          <title>{labels[index]}</title>
          <rect x={index * step} y={0} width={step} height={height} className="pj-Bars-hit" />
          {others[index] !== undefined && (
            <rect {...bar(others[index], index)} className="pj-Bars-behind" />
          )}
          <rect {...bar(share, index)} className="pj-Bars-bar" />
        </g>
      ))}
    </svg>
  );
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map(count => count / total);
}
