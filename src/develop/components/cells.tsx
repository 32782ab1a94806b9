import type { RunRow, Spread } from '../../api';
import { duration, figure, full } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { Ellipsis, Figure, Time } from '../../kit/values';
import type { Line } from '../lines';
import { Mark } from './marks';
import { VerdictWord } from './verdict';

type Value = RunRow['values'][number];

/** One value of a run. */
export function RunCell(props: {
  column: string;
  value: Value | undefined;
  row: RunRow;
  best: boolean;
}): JSX.Element {
  const { column, value, row, best } = props;
  const trans = useTrans();
  switch (column) {
    case 'attributes.verdict':
      return <VerdictWord verdict={row.verdict} />;
    case 'attributes.start_time':
      return <Time at={row.started} />;
    case 'attributes.end_time':
      return <Time at={row.ended} />;
    case 'attributes.duration':
      return <Took value={value} row={row} />;
  }
  if (value === null || value === undefined) {
    return <span className="pj-mod-quiet">–</span>;
  }
  if (column.startsWith('metrics.') || typeof value === 'number') {
    return (
      <span className={best ? 'pj-Best' : undefined}>
        {best && (
          <span
            className="pj-Best-mark"
            role="img"
            aria-label={trans.__('best')}
            title={trans.__('The best of these runs')}
          >
            <Mark name="best" />
          </span>
        )}
        <Figure value={value as number} />
      </span>
    );
  }
  return <Ellipsis text={value} className="pj-Param" />;
}

function Took({ value, row }: { value: Value | undefined; row: RunRow }): JSX.Element {
  const ms = row.ended === null ? Number(value) : row.ended - row.started;
  return <span>{value === null || !Number.isFinite(ms) ? '–' : duration(ms)}</span>;
}

/** What the runs of a group have: the mean, and from where to where. */
export function GroupCell(props: { column: string; spread: Spread | undefined }): JSX.Element {
  const { column, spread } = props;
  const trans = useTrans();
  if (spread === undefined || spread.mean === null || column === 'attributes.start_time') {
    return <span className="pj-mod-quiet">–</span>;
  }
  const { mean, low, high, values } = spread;
  const say = column === 'attributes.duration' ? (value: number) => duration(value) : figure;
  const text = (value: Spread['mean']): string => (value === null ? '–' : say(Number(value)));
  return (
    <span
      className="pj-Spread"
      title={trans.__(
        'mean %1, from %2 to %3, of %4 runs',
        full(mean),
        full(low),
        full(high),
        values
      )}
    >
      <span className="pj-Figure">{text(mean)}</span>
      {low !== high && (
        <span className="pj-Spread-range">
          {text(low)} … {text(high)}
        </span>
      )}
    </span>
  );
}

/** The tags that people gave, as chips; a click filters by one. */
export function TagsCell(props: {
  line: Line;
  tags: readonly { key: string; column: string; index: number }[];
  onTag: (column: string, value: string) => void;
}): JSX.Element {
  const { line, tags, onTag } = props;
  const trans = useTrans();
  if (line.kind === 'group') {
    return <span className="pj-mod-quiet">–</span>;
  }
  const given = tags.flatMap(tag => {
    const value = line.row.values[tag.index];
    return value === null || value === undefined ? [] : [{ ...tag, value: String(value) }];
  });
  return (
    <span className="pj-Tags">
      {given.map(({ key, column, value }) => {
        const text = value === '' || value === 'true' ? key : `${key}: ${value}`;
        return (
          <button
            key={key}
            type="button"
            tabIndex={-1}
            className="pj-Badge pj-Tag"
            title={trans.__('Show runs with %1', text)}
            onClick={() => onTag(column, value)}
          >
            {text}
          </button>
        );
      })}
    </span>
  );
}
