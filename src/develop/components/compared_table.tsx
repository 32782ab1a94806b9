import type { ReactNode } from 'react';
import { useState } from 'react';

import type { ComparedRow, Comparison } from '../../api';
import { Button } from '../../kit/button';
import { classes } from '../../kit/classes';
import { CheckField } from '../../kit/form';
import { count, figure } from '../../kit/format';
import { Section } from '../../kit/header';
import { useOpen } from '../../kit/open';
import { colorOf } from '../../kit/palette';
import { useTrans } from '../../kit/services';
import { Ellipsis, Figure } from '../../kit/values';
import { directionOf, type Direction } from '../figures';
import { isSystem } from '../look';
import { useTargets } from '../use_targets';
import { Mark } from './marks';

export interface ComparedTableProps {
  comparison: Comparison;
  lit: string | undefined;
  onLit: (run: string | undefined) => void;
}

/** So many rows of a kind are there before somebody asks for more. */
const SHOWN = 50;

interface Part {
  title: string;
  rows: readonly ComparedRow[];
  cell: (row: ComparedRow, index: number) => ReactNode;
}

/** What runs have, a column each: what differs, and the rest on demand. */
export function ComparedTable(props: ComparedTableProps): JSX.Element {
  const { comparison, lit, onLit } = props;
  const { runs } = comparison;
  const trans = useTrans();
  const [all, setAll] = useState(false);
  const { directions } = useTargets();
  const data = comparison.data.map<ComparedRow>(({ name, versions, differs }) => ({
    key: name,
    values: versions,
    differs
  }));
  const parts: Part[] = [
    {
      title: trans.__('Metrics'),
      rows: comparison.metrics,
      cell: (row, index) => <MetricCell row={row} index={index} directions={directions} />
    },
    { title: trans.__('Parameters'), rows: comparison.params, cell: textCell },
    {
      title: trans.__('Data'),
      rows: data,
      cell: (row, index) => <DataCell name={row.key} version={row.values[index] ?? null} />
    },
    { title: trans.__('Environment'), rows: comparison.environment, cell: textCell },
    { title: trans.__('Tags'), rows: comparison.tags, cell: textCell }
  ];
  const differing = parts.reduce(
    (sum, { rows }) => sum + rows.filter(row => row.differs).length,
    0
  );
  const same = parts.reduce((sum, { rows }) => sum + rows.length, 0) - differing;
  const template = `minmax(140px, 240px) repeat(${runs.length}, minmax(120px, 1fr))`;
  return (
    <Section
      title={trans._n('%2 difference', '%2 differences', differing, count(differing))}
      actions={
        <CheckField
          label={trans.__('Show what is the same, too (%1)', count(same))}
          checked={all}
          disabled={same === 0}
          onChange={setAll}
        />
      }
    >
      <div className="pj-Compared" role="table" aria-label={trans.__('Differences')}>
        <div
          className="pj-Compared-row pj-Compared-head"
          role="row"
          style={{ gridTemplateColumns: template }}
        >
          <span role="columnheader" />
          {runs.map(run => (
            <span
              key={run.run_id}
              role="columnheader"
              className={classes('pj-Compared-run', lit === run.run_id && 'pj-mod-lit')}
              onMouseEnter={() => onLit(run.run_id)}
              onMouseLeave={() => onLit(undefined)}
            >
              <span className="pj-RunName-dot" style={{ background: colorOf(run.run_id) }} />
              <Ellipsis text={run.name} />
            </span>
          ))}
        </div>
        {parts.map(part => (
          <ComparedPart key={part.title} part={part} all={all} template={template} />
        ))}
        {differing === 0 && !all && (
          <p className="pj-mod-quiet pj-Compared-none">
            {trans.__('These runs have the same metrics, parameters, data and environment.')}
          </p>
        )}
      </div>
    </Section>
  );
}

function ComparedPart(props: { part: Part; all: boolean; template: string }): JSX.Element | null {
  const { part, all, template } = props;
  const trans = useTrans();
  const [most, setMost] = useState(SHOWN);
  const rows = all ? part.rows : part.rows.filter(row => row.differs);
  if (rows.length === 0) {
    return null;
  }
  return (
    <div role="rowgroup">
      <h3 className="pj-Compared-title">
        {part.title} <span className="pj-Tabs-count">{count(rows.length)}</span>
      </h3>
      {rows.slice(0, most).map(row => (
        <div
          key={row.key}
          className={classes('pj-Compared-row', !row.differs && 'pj-mod-same')}
          role="row"
          style={{ gridTemplateColumns: template }}
        >
          <span role="rowheader">
            <Ellipsis text={row.key} />
          </span>
          {row.values.map((_, index) => (
            <span key={index} role="cell" className="pj-Compared-cell">
              {part.cell(row, index)}
            </span>
          ))}
        </div>
      ))}
      {rows.length > most && (
        <Button look="link" onClick={() => setMost(most + 10 * SHOWN)}>
          {trans.__('Show more of %1', count(rows.length - most))}
        </Button>
      )}
    </div>
  );
}

function textCell(row: ComparedRow, index: number): ReactNode {
  const value = row.values[index];
  return value === null || value === undefined ? (
    <span className="pj-mod-quiet">–</span>
  ) : (
    <Ellipsis
      text={String(value)}
      className={row.differs && index > 0 && value !== row.values[0] ? 'pj-Compared-other' : ''}
    />
  );
}

/** The value, how far it is from the first run's, and whether it is the best. */
function MetricCell(props: {
  row: ComparedRow;
  index: number;
  directions: ReadonlyMap<string, Direction>;
}): JSX.Element {
  const { row, index, directions } = props;
  const trans = useTrans();
  const numbers = row.values.map(value => (value === null ? NaN : Number(value)));
  const value = row.values[index];
  if (value === null || value === undefined) {
    return <span className="pj-mod-quiet">–</span>;
  }
  const there = numbers.filter(number => !Number.isNaN(number));
  const best =
    directionOf(row.key, directions) === 'maximize' ? Math.max(...there) : Math.min(...there);
  const isBest = row.differs && !isSystem(row.key) && there.length > 1 && numbers[index] === best;
  const by = numbers[index]! - numbers[0]!;
  return (
    <span className="pj-Compared-metric">
      <span className={isBest ? 'pj-Best' : undefined}>
        {isBest && (
          <span className="pj-Best-mark" role="img" aria-label={trans.__('best')}>
            <Mark name="best" />
          </span>
        )}
        <Figure value={value as number} />
      </span>
      {index > 0 && row.differs && Number.isFinite(by) && by !== 0 && (
        <span className="pj-mod-quiet" title={trans.__('from the first run')}>
          {by > 0 ? '+' : ''}
          {figure(by)}
        </span>
      )}
    </span>
  );
}

function DataCell(props: { name: string; version: number | string | null }): JSX.Element {
  const { name, version } = props;
  const open = useOpen();
  return version === null ? (
    <span className="pj-mod-quiet">–</span>
  ) : (
    <Button look="link" onClick={() => open(`data:${name}@${version}`)}>
      v{version}
    </Button>
  );
}
