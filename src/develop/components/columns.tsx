import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunSummary } from '../../api';
import { duration as durationText, percent } from '../../kit/format';
import { colorOf } from '../../kit/palette';
import { StateGlyph } from '../../kit/state';
import type { TableColumn } from '../../kit/table';
import { Ellipsis, Figure, Time } from '../../kit/values';
import { duration, verdictOf, type Direction } from '../figures';
import { bestOf, metricValue, paramValue } from '../table';
import { VerdictBadge } from './verdict';

export interface RunColumnsOptions {
  runs: readonly RunSummary[];
  /** The metrics and parameters that have a column. */
  metrics: readonly string[];
  params: readonly string[];
  directions: ReadonlyMap<string, Direction>;
  now: number;
  trans: TranslationBundle;
}

/** The columns of the runs table: what all runs have, then metrics, then parameters. */
export function runColumns(options: RunColumnsOptions): TableColumn<RunSummary>[] {
  const { runs, metrics, params, directions, now, trans } = options;
  const best = bestOf(runs, directions);
  return [
    {
      id: 'name',
      title: trans.__('Run'),
      value: run => run.name,
      render: run => <RunName run={run} />,
      min: 140,
      grow: 2
    },
    {
      id: 'kpi',
      title: trans.__('Target'),
      help: trans.__('Whether the numbers that Perijove measured meet the targets'),
      value: run => ({ met: 2, missed: 1, leaks: 0, unmeasured: null })[verdictOf(run)],
      render: run => <VerdictBadge run={run} />,
      min: 76,
      grow: 0
    },
    {
      id: 'started',
      title: trans.__('Started'),
      value: run => run.started,
      render: run => <Time at={run.started} />,
      min: 100,
      grow: 0
    },
    {
      id: 'duration',
      title: trans.__('Took'),
      value: run => duration(run, now),
      render: run => durationText(duration(run, now)),
      align: 'end',
      min: 72,
      grow: 0
    },
    ...metrics.map<TableColumn<RunSummary>>(key => ({
      id: `metric ${key}`,
      title: key,
      help: trans.__('Metric %1: the last value', key),
      value: run => metricValue(run, key),
      render: run => {
        const value = metricValue(run, key);
        const isBest = value !== null && value === best.get(key);
        return (
          <span className={isBest ? 'pj-Best' : undefined}>
            {isBest && (
              <span className="pj-Best-mark" role="img" aria-label={trans.__('best')}>
                ★
              </span>
            )}
            <Figure value={value} />
          </span>
        );
      },
      align: 'end',
      min: 96
    })),
    ...params.map<TableColumn<RunSummary>>(key => ({
      id: `param ${key}`,
      title: key,
      help: trans.__('Parameter %1', key),
      value: run => paramValue(run, key),
      render: run =>
        run.params[key] === undefined ? (
          <span className="pj-mod-quiet">–</span>
        ) : (
          <Ellipsis text={run.params[key]} className="pj-Param" />
        ),
      align: runs.every(run => typeof (paramValue(run, key) ?? 0) === 'number') ? 'end' : 'start',
      min: 96
    }))
  ];
}

/** State, colour and name of a run, and how far it is while it runs; no colour when `plain`. */
export function RunName(props: { run: RunSummary; plain?: boolean }): JSX.Element {
  const { run, plain = false } = props;
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
