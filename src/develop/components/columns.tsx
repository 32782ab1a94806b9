import type { RunRow, RunTable, Trans } from '../../api';
import type { LongColumn } from '../../kit/long_column';
import { percent } from '../../kit/format';
import { colorOf } from '../../kit/palette';
import { StateGlyph } from '../../kit/state';
import { Ellipsis } from '../../kit/values';
import type { Line } from '../lines';
import { LEADING, partsOf, TAGS } from '../look';
import { columnHelp, columnTitle, kindTitle } from '../names';
import { GroupCell, RunCell, TagsCell } from './cells';
import { Mark, MarkButton } from './marks';

const NAME = 'attributes.run_name';

export interface RunColumnsOptions {
  /** The columns that are shown, and those that the lines have values of. */
  shown: readonly string[];
  answered: readonly string[];
  table: RunTable;
  widths: Readonly<Record<string, number>>;
  grouped: boolean;
  /** The runs whose curves are shown. */
  charted: ReadonlySet<string>;
  deleted: boolean;
  trans: Trans;
  onStar: (row: RunRow) => void;
  onPin: (row: RunRow) => void;
  onNote: (row: RunRow) => void;
  onGroup: (key: string) => void;
  onTag: (column: string, value: string) => void;
}

/** The columns of the table: the run, what every run has, metrics, parameters, tags, the rest. */
export function runColumns(options: RunColumnsOptions): LongColumn<Line>[] {
  const { shown, answered, table, widths, grouped, trans } = options;
  const kinds = new Map(table.columns.map(({ column, kind }) => [column, kind]));
  const places = new Map(answered.map((column, index) => [column, index]));
  const tags = answered
    .map((column, index) => ({ key: partsOf(column).key, column, index }))
    .filter(({ column }) => column.startsWith('tags.') && !shown.includes(column));
  return [
    {
      id: NAME,
      title: trans.__('Run'),
      group: trans.__('Run'),
      width: widths[NAME] ?? 230,
      fixed: true,
      sortable: true,
      render: line => <NameCell line={line} options={options} />
    },
    ...shown.map<LongColumn<Line>>(column => {
      const kind = kinds.get(column);
      const place = places.get(column);
      return {
        id: column,
        title: columnTitle(column, trans),
        help: columnHelp(column, trans),
        group: groupOf(column, trans),
        width: widths[column] ?? widthOf(column, grouped),
        align: kind === 'number' ? 'end' : 'start',
        sortable: column !== TAGS,
        render: line =>
          column === TAGS ? (
            <TagsCell line={line} tags={tags} onTag={options.onTag} />
          ) : line.kind === 'group' ? (
            <GroupCell
              column={column}
              spread={place === undefined ? undefined : line.group.spreads[place]}
            />
          ) : (
            <RunCell
              column={column}
              value={place === undefined ? undefined : line.row.values[place]}
              row={line.row}
              best={
                column.startsWith('metrics.') && table.best[partsOf(column).key] === line.row.run_id
              }
            />
          )
      };
    })
  ];
}

function groupOf(column: string, trans: Trans): string {
  return LEADING.includes(column)
    ? trans.__('Run')
    : kindTitle(column === TAGS ? 'tags' : partsOf(column).kind, trans);
}

function widthOf(column: string, grouped: boolean): number {
  const { kind, key } = column === TAGS ? { kind: 'tags', key: '' } : partsOf(column);
  if (kind === 'metrics') {
    return grouped ? 164 : 104;
  }
  if (column === TAGS) {
    return 200;
  }
  const known: Record<string, number> = {
    verdict: 84,
    start_time: 112,
    end_time: 112,
    duration: grouped ? 150 : 92
  };
  return (kind === 'attributes' ? known[key] : undefined) ?? 116;
}

function NameCell({ line, options }: { line: Line; options: RunColumnsOptions }): JSX.Element {
  const { trans, charted, deleted } = options;
  if (line.kind === 'group') {
    const { group, open, key } = line;
    return (
      <span className="pj-RunName">
        <button
          type="button"
          className="pj-Twisty"
          tabIndex={-1}
          aria-expanded={open}
          aria-label={open ? trans.__('Fold the group') : trans.__('Open the group')}
          onClick={() => options.onGroup(key)}
        >
          {open ? '▾' : '▸'}
        </button>
        {group.value === null ? (
          <span className="pj-mod-quiet">{trans.__('without a value')}</span>
        ) : (
          <Ellipsis text={group.value === '' ? '“”' : group.value} className="pj-RunName-text" />
        )}
        <span className="pj-Tabs-count">
          {trans._n('%2 run', '%2 runs', group.runs, group.runs)}
        </span>
      </span>
    );
  }
  const { row } = line;
  return (
    <span className={line.inGroup ? 'pj-RunName pj-mod-within' : 'pj-RunName'}>
      <StateGlyph state={row.state} />
      <span
        className="pj-RunName-dot"
        aria-hidden="true"
        style={charted.has(row.run_id) ? { background: colorOf(row.run_id) } : undefined}
      />
      <Ellipsis text={row.name} className="pj-RunName-text" />
      {row.state === 'running' && row.progress !== null && (
        <span className="pj-RunName-progress">{percent(row.progress)}</span>
      )}
      {row.children > 0 && (
        <span className="pj-Tabs-count" title={trans.__('Runs that belong to it')}>
          +{row.children}
        </span>
      )}
      {!deleted && (
        <span className="pj-RunName-marks">
          {row.noted && (
            <button
              type="button"
              tabIndex={-1}
              className="pj-MarkButton pj-mod-there"
              aria-label={trans.__('Read the note on %1', row.name)}
              title={trans.__('Read the note')}
              onClick={() => options.onNote(row)}
            >
              <Mark name="note" />
            </button>
          )}
          <MarkButton
            name="pin"
            on={row.pinned}
            label={row.pinned ? trans.__('Unpin %1', row.name) : trans.__('Pin %1', row.name)}
            onClick={() => options.onPin(row)}
          />
          <MarkButton
            name="star"
            on={row.starred}
            label={row.starred ? trans.__('Unstar %1', row.name) : trans.__('Star %1', row.name)}
            onClick={() => options.onStar(row)}
          />
        </span>
      )}
    </span>
  );
}

export interface RunNameProps {
  run: { run_id: string; name: string; state: RunRow['state']; progress: number | null };
  /** Without its colour. */
  plain?: boolean;
}

/** State, colour and name of a run, and how far it is while it runs. */
export function RunName({ run, plain = false }: RunNameProps): JSX.Element {
  return (
    <span className="pj-RunName">
      <StateGlyph state={run.state} />
      {!plain && (
        <span
          className="pj-RunName-dot"
          aria-hidden="true"
          style={{ background: colorOf(run.run_id) }}
        />
      )}
      <Ellipsis text={run.name} className="pj-RunName-text" />
      {run.state === 'running' && run.progress !== null && (
        <span className="pj-RunName-progress">{percent(run.progress)}</span>
      )}
    </span>
  );
}
