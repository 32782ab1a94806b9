import { useMemo, useState } from 'react';

import type { Column, ColumnLeak, ColumnProfile, Dataset, Profile, Request, Step } from '../../api';
import { useAction } from '../../kit/action';
import { Bars } from '../../kit/bars';
import { Button } from '../../kit/button';
import { ErrorView, LoadingBar } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { count, figure, percent } from '../../kit/format';
import { useResource, type Resource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import { TaskProgress, useTask } from '../../kit/task';
import { Badge, Ellipsis } from '../../kit/values';
import { binLabels, distinctInWords, edge, quantile, stageInWords } from '../profile';
import { isNumeric } from '../types';
import { ColumnDetail } from './column_detail';
import { Correlations } from './correlations';

type Settings = Request<'DatasetSettings'>;

/** So many columns are read at a glance; more get a filter. */
const GLANCE = 12;

/** What the columns hold, what is declared about them, and which of them tell the answer. */
export function Columns({ dataset }: { dataset: Dataset }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [filter, setFilter] = useState('');
  const [opened, setOpened] = useState<string>();
  const [related, setRelated] = useState(false);
  const [leaking, setLeaking] = useState(false);
  const { name, version, target, time, facts } = dataset;
  const { run, busy, error } = useAction(async (settings: Partial<Settings>) => {
    await client.put('/datasets/{name}', { path: { name }, body: settings });
    events.announce('data');
  });
  const profile = useProfile(name, version);
  const whole = useAction(async () => {
    await client.post('/datasets/{name}/profile', { path: { name }, body: { version } });
    events.announce('data');
  });
  const task = useTask(profile.data?.task ?? '');
  const leaks = useResource(
    ['leaks', name, version, target],
    [],
    (c, signal) =>
      c.get('/datasets/{name}/leaks', { path: { name }, query: { target, version }, signal }),
    { enabled: leaking && target !== '' }
  );
  const leakOf = useMemo(
    () => new Map(leaks.data?.columns.map(leak => [leak.column, leak])),
    [leaks.data]
  );
  const profileOf = useMemo(
    () => new Map(profile.data?.columns.map(column => [column.name, column])),
    [profile.data]
  );
  const needle = filter.trim().toLowerCase();
  const shown = useMemo(
    () => facts.columns.filter(column => column.name.toLowerCase().includes(needle)),
    [facts.columns, needle]
  );
  const turn = (column: Column): void => {
    if (column.name !== target) {
      void run({ known: { [column.name]: column.known === 'after' ? 'before' : 'after' } });
    }
  };
  const columns = useColumns({
    dataset,
    profile: profile.data,
    profileOf,
    leakOf: leaking && target !== '' ? leakOf : undefined,
    busy,
    turn
  });
  const choices = [
    { value: '', label: trans.__('None') },
    ...facts.columns.map(column => ({ value: column.name, label: column.name }))
  ];
  const detail = opened === undefined ? undefined : profileOf.get(opened);
  const correlation = profile.data?.correlation ?? null;
  return (
    <div className="pj-Columns">
      <div className="pj-Columns-declared">
        <SelectField
          label={trans.__('Target')}
          help={trans.__('What a model predicts')}
          value={target}
          options={choices}
          disabled={busy}
          onChange={chosen => void run({ target: chosen })}
        />
        <SelectField
          label={trans.__('Time')}
          help={trans.__('When a row happened; train and test are split by it')}
          value={time}
          options={choices}
          disabled={busy}
          onChange={chosen => void run({ time: chosen })}
        />
        {facts.columns.length > GLANCE && (
          <input
            type="search"
            className="jp-mod-styled pj-Input pj-Columns-filter"
            placeholder={trans.__('Filter columns')}
            aria-label={trans.__('Filter columns')}
            value={filter}
            onChange={event => setFilter(event.target.value)}
          />
        )}
      </div>
      {error !== undefined && <ErrorView error={error} compact />}
      <div className="pj-Columns-bar">
        <LoadingBar active={profile.loading || leaks.loading} />
        <span className="pj-mod-quiet" role="status">
          {profile.data !== undefined && stageInWords(profile.data, trans)}
        </span>
        {task !== undefined && <TaskProgress task={task} label={trans.__('Profile of all rows')} />}
        <span className="pj-ViewBar-space" />
        {target !== '' && (
          <Button
            aria-pressed={leaking}
            title={trans.__('How well each column alone predicts %1', target)}
            onClick={() => setLeaking(!leaking)}
          >
            {leaking ? trans.__('Hide leaks') : trans.__('Check for leaks')}
          </Button>
        )}
        {correlation !== null && correlation.columns.length > 1 && (
          <Button
            aria-pressed={related}
            onClick={() => {
              setRelated(!related);
              setOpened(undefined);
            }}
          >
            {trans.__('Correlations')}
          </Button>
        )}
        {profile.data !== undefined &&
          profile.data.stage !== 'full' &&
          task?.state !== 'running' && (
            <Button busy={whole.busy} onClick={() => void whole.run()}>
              {trans.__('Profile all rows')}
            </Button>
          )}
      </div>
      {profile.error !== undefined && (
        <ErrorView error={profile.error} retry={profile.reload} compact />
      )}
      {whole.error !== undefined && <ErrorView error={whole.error} compact />}
      {leaking && leaks.error !== undefined && (
        <ErrorView error={leaks.error} retry={leaks.reload} compact />
      )}
      {leaking && leaks.data !== undefined && (
        <p className="pj-mod-quiet" role="status">
          {leaks.data.part === ''
            ? trans.__(
                'Leaks are looked for in %1 rows of the whole version.',
                count(leaks.data.rows)
              )
            : trans.__(
                'Leaks are looked for in %1 rows of the part %2, which models learn from.',
                count(leaks.data.rows),
                leaks.data.part
              )}
        </p>
      )}
      {/* A sample is taken from places: over time it would show these. */}
      {profile.data?.stage === 'full' && profile.data.time_axis !== null && (
        <TimeAxisView axis={profile.data.time_axis} />
      )}
      <div className="pj-Columns-main">
        <DataTable
          label={trans.__('Columns')}
          columns={columns}
          rows={shown}
          rowKey={column => column.name}
          onOpen={column => {
            setRelated(false);
            setOpened(opened === column.name ? undefined : column.name);
          }}
          onKey={(key, column) => {
            if (key !== ' ') {
              return false;
            }
            turn(column);
            return true;
          }}
          rowClass={column => (column.name === opened ? 'pj-mod-selected' : undefined)}
          height="fill"
          empty={
            <p className="pj-mod-quiet">
              {trans.__('No column has “%1” in its name.', filter.trim())}
            </p>
          }
        />
        {detail !== undefined && profile.data !== undefined && (
          <ColumnDetail
            profile={profile.data}
            column={detail}
            leak={leakOf.get(detail.name)}
            onClose={() => setOpened(undefined)}
          />
        )}
        {related && correlation !== null && (
          <Correlations correlation={correlation} onClose={() => setRelated(false)} />
        )}
      </div>
    </div>
  );
}

/** The best profile that there is; a sample's where there is only the footer's. */
function useProfile(name: string, version: number): Resource<Profile> {
  const best = useStage(name, version, 'full', ['data'], true);
  const sample = useStage(name, version, 'sample', NEVER, best.data?.stage === 'footer');
  const data =
    best.data?.stage === 'footer' && sample.data !== undefined
      ? { ...sample.data, task: best.data.task }
      : best.data;
  return {
    data,
    error: best.error ?? sample.error,
    loading: best.loading || sample.loading,
    reload: () => {
      best.reload();
      sample.reload();
    }
  };
}

const NEVER: readonly Step[] = [];

function useStage(
  name: string,
  version: number,
  stage: 'full' | 'sample',
  topics: readonly Step[],
  enabled: boolean
): Resource<Profile> {
  return useResource(
    ['profile', name, version, stage],
    topics,
    (client, signal) =>
      client.get('/datasets/{name}/profile', { path: { name }, query: { version, stage }, signal }),
    { enabled, keep: true }
  );
}

function TimeAxisView({ axis }: { axis: NonNullable<Profile['time_axis']> }): JSX.Element {
  const trans = useTrans();
  const { edges, counts, column } = axis;
  return (
    <figure className="pj-TimeAxis">
      <Bars
        counts={counts}
        labels={binLabels({ counts, edges, labels: [] }, 'time')}
        width={960}
        height={40}
        label={trans.__('Rows over time, by %1', column)}
      />
      <figcaption>
        <span>{edge(edges[0], 'time')}</span>
        <span>{trans.__('rows by %1', column)}</span>
        <span>{edge(edges[edges.length - 1], 'time')}</span>
      </figcaption>
    </figure>
  );
}

interface IColumnsOf {
  dataset: Dataset;
  profile: Profile | undefined;
  profileOf: ReadonlyMap<string, ColumnProfile>;
  /** Undefined while nobody asked for leaks. */
  leakOf: ReadonlyMap<string, ColumnLeak> | undefined;
  busy: boolean;
  turn: (column: Column) => void;
}

function useColumns(of: IColumnsOf): TableColumn<Column>[] {
  const { dataset, profile, profileOf, leakOf, busy, turn } = of;
  const trans = useTrans();
  const { target, time } = dataset;
  const seen = profile?.seen ?? 0;
  const numbers = (
    id: string,
    title: string,
    read: (column: ColumnProfile) => string | number | null | undefined
  ): TableColumn<Column> => ({
    id,
    title,
    value: column => {
      const found = profileOf.get(column.name);
      return found === undefined ? null : (read(found) ?? null);
    },
    render: column => {
      const found = profileOf.get(column.name);
      const value = found === undefined ? null : read(found);
      return value === null || value === undefined ? (
        ''
      ) : typeof value === 'number' ? (
        <span title={String(value)}>{figure(value)}</span>
      ) : (
        <Ellipsis text={value} />
      );
    },
    align: 'end',
    min: 88,
    grow: 0
  });
  const found: TableColumn<Column>[] = [
    {
      id: 'name',
      title: trans.__('Column'),
      value: column => column.name,
      render: column => (
        <>
          <span aria-hidden="true" className="pj-Columns-kind" title={column.type}>
            {sign(column.type)}
          </span>
          <Ellipsis text={column.name} className="pj-mod-strong" />
          {column.name === target && <Badge>{trans.__('target')}</Badge>}
          {column.name === time && <Badge>{trans.__('time')}</Badge>}
        </>
      ),
      min: 160,
      grow: 2
    },
    {
      id: 'type',
      title: trans.__('Type'),
      value: column => column.type,
      render: column => <Ellipsis text={column.type} className="pj-mod-quiet" />,
      min: 96
    },
    {
      id: 'values',
      title: trans.__('Values'),
      render: column => {
        const one = profileOf.get(column.name);
        return one?.histogram == null || one.histogram.counts.length === 0 ? (
          ''
        ) : (
          <Bars
            counts={one.histogram.counts}
            labels={binLabels(one.histogram, one.kind)}
            label={trans.__('How the values of %1 lie', column.name)}
          />
        );
      },
      min: 136,
      grow: 0
    },
    {
      id: 'nulls',
      title: trans.__('Missing'),
      value: column => profileOf.get(column.name)?.nulls ?? column.nulls,
      render: column => {
        const nulls = profileOf.get(column.name)?.nulls ?? column.nulls;
        const all = profileOf.has(column.name) ? seen : dataset.facts.rows;
        return nulls === 0 ? (
          <span className="pj-mod-quiet">{trans.__('none')}</span>
        ) : (
          <span title={trans.__('%1 of %2 rows', count(nulls), count(all))}>
            {share(nulls, all)}
          </span>
        );
      },
      align: 'end',
      min: 80,
      grow: 0
    },
    {
      id: 'distinct',
      title: trans.__('Distinct'),
      value: column => profileOf.get(column.name)?.distinct ?? null,
      render: column => {
        const one = profileOf.get(column.name);
        return one === undefined || one.distinct === null ? (
          ''
        ) : (
          <span title={distinctInWords(one, trans)}>
            {one.distinct_error > 0 && '≈ '}
            {count(one.distinct)}
          </span>
        );
      },
      align: 'end',
      min: 96,
      grow: 0
    },
    numbers('min', trans.__('Smallest'), column =>
      column.kind === 'number' ? numeric(column.minimum) : column.minimum
    ),
    numbers('median', trans.__('Median'), column => {
      const value = profile === undefined ? undefined : quantile(profile, column, 0.5);
      return value === undefined
        ? null
        : column.kind === 'time'
          ? edge(value, 'time')
          : Number(value);
    }),
    numbers('max', trans.__('Largest'), column =>
      column.kind === 'number' ? numeric(column.maximum) : column.maximum
    )
  ];
  if (leakOf !== undefined) {
    found.push({
      id: 'leak',
      title: trans.__('Tells target'),
      help: trans.__(
        'How well this column alone predicts %1: 0.5 is no better than chance for classes, 0 for numbers. What scores 0.95 or more is an answer, not a hint.',
        target
      ),
      value: column => Number(leakOf.get(column.name)?.score ?? Number.NaN),
      render: column => {
        const leak = leakOf.get(column.name);
        return leak === undefined ? (
          ''
        ) : (
          <>
            {leak.leaks && (
              <Badge look="failed" title={leak.reason}>
                {trans.__('leaks')}
              </Badge>
            )}
            <span title={leak.reason}>{figure(leak.score)}</span>
          </>
        );
      },
      align: 'end',
      min: 136,
      grow: 0
    });
  }
  found.push({
    id: 'known',
    title: trans.__('Known after'),
    help: trans.__(
      'Known only after the prediction: a value that is not there yet when the prediction is asked for, such as the duration of a build that has not run. A model that uses one does not pass the gate.'
    ),
    value: column => column.known,
    render: column =>
      column.name === target ? (
        ''
      ) : (
        <input
          type="checkbox"
          className="pj-Columns-known"
          aria-label={trans.__('%1 is known only after the prediction', column.name)}
          checked={column.known === 'after'}
          disabled={busy}
          onClick={event => event.stopPropagation()}
          onChange={() => turn(column)}
        />
      ),
    min: 96,
    grow: 0
  });
  return found;
}

function numeric(text: string | null): number | string | null {
  const value = text === null ? Number.NaN : Number(text);
  // An integer that a float would round is shown as it is.
  return Number.isSafeInteger(value) || !Number.isInteger(value)
    ? Number.isNaN(value)
      ? text
      : value
    : text;
}

function share(part: number, whole: number): string {
  const value = whole === 0 ? 0 : part / whole;
  return value > 0 && value < 0.001 ? '< 0.1 %' : percent(value, value < 0.1 ? 1 : 0);
}

/** The kind of a type in one sign, for eyes that look down the list. */
function sign(type: string): string {
  if (isNumeric(type)) {
    return '#';
  }
  if (type === 'BOOLEAN') {
    return '✓';
  }
  if (/^(DATE|TIME|INTERVAL)/.test(type)) {
    return '◷';
  }
  return /\]$|^(STRUCT|MAP|UNION|JSON)/.test(type) ? '{}' : 'a';
}
