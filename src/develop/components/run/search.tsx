import { useMemo } from 'react';

import type { SearchReport, Trial } from '../../../api';
import { Chart, type ChartSeries } from '../../../kit/chart';
import { Empty, Loaded } from '../../../kit/feedback';
import { percent, toNumber } from '../../../kit/format';
import { Section } from '../../../kit/header';
import { Meter } from '../../../kit/meter';
import { PALETTE } from '../../../kit/palette';
import { useResource } from '../../../kit/resource';
import { useServices, useTrans } from '../../../kit/services';
import { StateGlyph } from '../../../kit/state';
import { DataTable, type TableColumn } from '../../../kit/table';
import { Badge, Ellipsis, Figure } from '../../../kit/values';
import { historyOf } from '../../search';
import { CommandIDs } from '../../tokens';

/** A search: its trials, how the best value came about, and what the value depends on. */
export function SearchTab({ search }: { search: SearchReport }): JSX.Element {
  const trans = useTrans();
  const done = search.trials.filter(trial => trial.state !== 'running').length;
  return (
    <div className="pj-Run-scroll">
      <div className="pj-Facts pj-Search-facts">
        <span>
          {search.direction === 'maximize'
            ? trans.__('highest %1', search.metric)
            : trans.__('lowest %1', search.metric)}
        </span>
        <span>
          {search.wanted === null
            ? trans._n('%1 trial done', '%1 trials done', done)
            : trans.__('%1 of %2 trials done', done, search.wanted)}
        </span>
        <span>
          {trans.__('study')} <code title={search.storage}>{search.study}</code>
        </span>
      </div>
      {search.trials.length === 0 ? (
        <Empty>{trans.__('No trial has begun yet.')}</Empty>
      ) : (
        <>
          <div className="pj-Search-plots">
            <History search={search} />
            <Importance search={search} />
          </div>
          <Trials search={search} />
        </>
      )}
    </div>
  );
}

function History({ search }: { search: SearchReport }): JSX.Element | null {
  const trans = useTrans();
  const series = useMemo<ChartSeries[]>(() => {
    const { trials, best } = historyOf(search);
    return [
      { key: 'trial', label: trans.__('trial'), color: PALETTE[1]!, dots: true, ...trials },
      { key: 'best', label: trans.__('best'), color: PALETTE[0]!, ...best }
    ];
  }, [search, trans]);
  if (series[0]!.x.length < 2) {
    return null;
  }
  return <Chart title={search.metric} series={series} xLabel={trans.__('trial')} height={200} />;
}

function Importance({ search }: { search: SearchReport }): JSX.Element {
  const trans = useTrans();
  const ids = search.trials.map(trial => trial.run_id).filter(id => id !== '');
  const finished = search.trials.filter(trial => trial.state === 'finished').length;
  const importance = useResource(
    ['importance', search.study, search.metric, finished],
    [],
    (client, signal) =>
      client.post('/runs/importance', { body: { metric: search.metric, run_ids: ids }, signal }),
    { enabled: finished > 0, keep: true }
  );
  return (
    <Section title={trans.__('What it depends on')}>
      {finished === 0 ? (
        <p className="pj-mod-quiet pj-Run-line">{trans.__('No trial has finished yet.')}</p>
      ) : (
        <Loaded resource={importance}>
          {({ items, reason, method, runs }) =>
            items.length === 0 ? (
              <p className="pj-mod-quiet pj-Run-line">{reason}</p>
            ) : (
              <>
                <ul className="pj-Search-importance">
                  {items.map(one => (
                    <li key={one.param}>
                      <Ellipsis text={one.param} />
                      <Meter
                        share={one.importance}
                        high={Infinity}
                        label={one.param}
                        text={percent(one.importance)}
                      />
                      <span>{percent(one.importance)}</span>
                    </li>
                  ))}
                </ul>
                <p className="pj-mod-quiet pj-Run-line">
                  {trans._n('%2, from %1 run', '%2, from %1 runs', runs, method)}
                </p>
              </>
            )
          }
        </Loaded>
      )}
    </Section>
  );
}

function Trials({ search }: { search: SearchReport }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const params = useMemo(
    () => [...new Set(search.trials.flatMap(trial => Object.keys(trial.params)))],
    [search.trials]
  );
  const columns: TableColumn<Trial>[] = [
    {
      id: 'number',
      title: trans.__('Trial'),
      align: 'end',
      min: 64,
      grow: 0,
      value: trial => trial.number
    },
    {
      id: 'state',
      title: trans.__('State'),
      min: 110,
      grow: 0,
      value: trial => trial.state,
      render: trial =>
        trial.state === 'pruned' ? (
          <StateGlyph state="stopped" label={trans.__('pruned')} word />
        ) : (
          <StateGlyph state={trial.state} word />
        )
    },
    {
      id: 'value',
      title: search.metric,
      align: 'end',
      min: 120,
      value: trial => toNumber(trial.value),
      render: trial => (
        <span className={isBest(trial, search) ? 'pj-Best' : undefined}>
          {isBest(trial, search) && <Badge look="ok">{trans.__('best')}</Badge>}{' '}
          <Figure value={trial.value} />
        </span>
      )
    },
    ...params.map<TableColumn<Trial>>(key => ({
      id: `param ${key}`,
      title: key,
      min: 96,
      align: search.trials.every(trial => isNumber(trial.params[key])) ? 'end' : 'start',
      value: trial => {
        const value = trial.params[key];
        return value === undefined ? null : isNumber(value) ? Number(value) : value;
      },
      render: trial =>
        trial.params[key] !== undefined && isNumber(trial.params[key]) ? (
          <Figure value={Number(trial.params[key])} />
        ) : (
          <Ellipsis text={trial.params[key] ?? '–'} />
        )
    }))
  ];
  return (
    <DataTable
      label={trans.__('Trials')}
      columns={columns}
      rows={search.trials}
      rowKey={trial => String(trial.number)}
      rowLabel={trial => trans.__('trial %1', trial.number)}
      onOpen={trial =>
        void (trial.run_id !== '' && commands.execute(CommandIDs.openRun, { run_id: trial.run_id }))
      }
      sort={{ column: 'value', descending: search.direction === 'maximize' }}
      height={16}
    />
  );
}

function isBest(trial: Trial, search: SearchReport): boolean {
  return trial.run_id !== '' && trial.run_id === search.best;
}

function isNumber(text: string | undefined): boolean {
  return text === undefined || (text.trim() !== '' && !Number.isNaN(Number(text)));
}
