import type { Correlation } from '../../api';
import { Drawer } from '../../kit/drawer';
import { count } from '../../kit/format';
import { useTrans } from '../../kit/services';

const CELL = 18;
const NAME = 96;

/** Which numbers move together: Pearson's r of each pair, colour and sign. */
export function Correlations(props: {
  correlation: Correlation;
  onClose: () => void;
}): JSX.Element {
  const { correlation, onClose } = props;
  const { columns, values, rows } = correlation;
  const trans = useTrans();
  const side = columns.length * CELL;
  return (
    <Drawer title={trans.__('Correlations')} onClose={onClose}>
      <p className="pj-mod-quiet">
        {trans.__('Pearson’s r over the pairs that are both there, of %1 rows.', count(rows))}
      </p>
      <svg
        className="pj-Correlations"
        width={NAME + side}
        height={side + 4}
        role="img"
        aria-label={trans.__('Correlations of %1 columns', columns.length)}
      >
        {columns.map((name, row) => (
          <g key={name} transform={`translate(0 ${row * CELL})`}>
            <text x={NAME - 6} y={CELL / 2} dy="0.35em" textAnchor="end">
              <title>{name}</title>
              {name.length > 14 ? `${name.slice(0, 13)}…` : name}
            </text>
            {columns.map((other, column) => {
              const r = Number(values[row]?.[column]);
              return (
                <rect
                  key={other}
                  x={NAME + column * CELL}
                  width={CELL - 1}
                  height={CELL - 1}
                  className={r < 0 ? 'pj-mod-negative' : 'pj-mod-positive'}
                  fillOpacity={Number.isFinite(r) ? Math.abs(r) : 0}
                >
                  <title>{`${name} · ${other}: ${Number.isFinite(r) ? r.toFixed(2) : '–'}`}</title>
                </rect>
              );
            })}
          </g>
        ))}
      </svg>
    </Drawer>
  );
}
