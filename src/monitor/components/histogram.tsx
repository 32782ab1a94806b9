import type { CSSProperties } from 'react';

import type { FeatureDrift } from '../../api';
import { PALETTE, useTrans } from '../../kit';
import { histogramOf } from '../report';

/** The training data is the ground, what came in the figure. */
const COLORS = { '--pj-expected': PALETTE[7], '--pj-observed': PALETTE[0] } as CSSProperties;
const WIDTH = 480;
const HEIGHT = 96;
const LEFT = 40;
const BOTTOM = 20;
/** Labels that fit under the axis without touching each other. */
const LABELS = 5;
const LABEL_LENGTH = 15;

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

export interface HistogramProps {
  drift: FeatureDrift;
}

/** The training distribution of a feature beside what came in, bin by bin. */
export function Histogram({ drift }: HistogramProps): JSX.Element {
  const trans = useTrans();
  const plot = histogramOf(drift, WIDTH - LEFT, HEIGHT);
  const every = Math.max(1, Math.ceil(plot.bins.length / LABELS));
  return (
    <figure className="pj-Monitor-histogram" style={COLORS}>
      <figcaption>
        <span className="pj-Monitor-key pj-mod-expected">{trans.__('training data')}</span>
        <span className="pj-Monitor-key pj-mod-observed">
          {trans._n('%1 row that came in', '%1 rows that came in', drift.rows)}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + BOTTOM + 6}`}
        role="img"
        aria-label={trans.__('Share of each bin of %1', drift.feature)}
      >
        <g transform={`translate(${LEFT}, 6)`}>
          {[0, plot.top / 2, plot.top].map(share => {
            const y = HEIGHT - (share / plot.top) * HEIGHT;
            return (
              <g key={share} className="pj-Monitor-rule">
                <line x1={0} x2={WIDTH - LEFT} y1={y} y2={y} />
                <text x={-6} y={y} dy="0.32em" textAnchor="end">
                  {percent(share)}
                </text>
              </g>
            );
          })}
          {plot.bins.map((bin, index) => (
            <g key={index} className="pj-Monitor-bin">
              <title>
                {trans.__(
                  '%1: training %2, came in %3',
                  bin.label,
                  percent(bin.expected),
                  percent(bin.observed)
                )}
              </title>
              <rect {...bin.column} className="pj-Monitor-column" />
              <rect {...bin.expectedBar} className="pj-Monitor-bar pj-mod-expected" />
              <rect {...bin.observedBar} className="pj-Monitor-bar pj-mod-observed" />
              {index % every === 0 && (
                <text
                  className="pj-Monitor-label"
                  x={bin.column.x + bin.column.width / 2}
                  y={HEIGHT + 14}
                  textAnchor="middle"
                >
                  {shorten(bin.label, LABEL_LENGTH)}
                </text>
              )}
            </g>
          ))}
        </g>
      </svg>
    </figure>
  );
}

function shorten(label: string, length: number): string {
  return label.length <= length ? label : `${label.slice(0, length - 1)}…`;
}
