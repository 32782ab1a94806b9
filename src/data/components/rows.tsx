import type { Trans } from '../../api/language';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { KeyboardEvent } from 'react';
import { useEffect, useMemo, useRef, useState } from 'react';

import { PerijoveError, type Dataset, type View, type ViewSpec } from '../../api';
import { Button } from '../../kit/button';
import { sortedBy, type Condition } from '../../kit/conditions';
import { Empty, ErrorView, LoadingBar } from '../../kit/feedback';
import { count } from '../../kit/format';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { TaskProgress, useTask } from '../../kit/task';
import type { ICursor, IMenuPlace } from '../rows/grid';
import type { IHeaderFacts } from '../rows/headers';
import { openMenu } from '../rows/menu';
import { isPlain, kindOf, PLAIN, specOf, writePositions, type ViewState } from '../view';
import { CellView, CUT } from './cell_view';
import { FindBar, type Place } from './find_bar';
import { GridHost, type GridView, type IGridHandle } from './grid_host';
import { ViewBar } from './view_bar';

/** How each dataset was last looked at: another tab and back changes nothing. */
const remembered = new Map<string, ViewState>();

/** The rows of a dataset version: filtered, sorted, found; in a grid that owns the height. */
export function Rows({ dataset }: { dataset: Dataset }): JSX.Element {
  const { name, version, target, time, facts } = dataset;
  const { client, project } = useServices();
  const trans = useTrans();
  const memory = `${project.path ?? ''}/${name}`;
  const [state, setState] = useState<ViewState>(() =>
    fitting(remembered.get(memory) ?? PLAIN, dataset)
  );
  const [columnsOf, setColumnsOf] = useState(facts.columns);
  if (columnsOf !== facts.columns) {
    // Another version may lack a column that the view speaks of.
    setColumnsOf(facts.columns);
    setState(fitting(state, dataset));
  }
  const change = (next: ViewState): void => {
    remembered.set(memory, next);
    setState(next);
  };
  const spec = useMemo(() => specOf(state, version, facts.columns), [state, version, facts]);
  const plain = isPlain(state);
  const opened = useView(name, spec, !plain);
  const view = plain ? undefined : opened.data;
  const profile = useResource(['profile', name, version, 'sample'], [], (c, signal) =>
    c.get('/datasets/{name}/profile', {
      path: { name },
      query: { version, stage: 'sample' },
      signal
    })
  );
  const profiles = useMemo(
    () => new Map(profile.data?.columns.map(column => [column.name, column])),
    [profile.data]
  );
  const grid = useRef<IGridHandle>(null);
  const [seen, setSeen] = useState({ first: 0, last: 0 });
  const [cursor, setCursor] = useState<ICursor | null>(null);
  const [finding, setFinding] = useState(false);
  const [asked, setAsked] = useState<string | null>(null);
  const [exporting, setExporting] = useState('');
  const task = useTask(view?.state === 'building' ? view.task : '');
  const exported = useTask(exporting);
  useEffect(() => {
    if (exported?.state === 'finished') {
      void Notification.success(trans.__('%1 is done.', exported.title), { autoClose: 5000 });
      setExporting('');
    }
  }, [exported, trans]);

  const rows = plain ? facts.rows : (view?.reachable ?? 0);
  // What was found may lie behind the rows that are there while a view is being made.
  const [pending, setPending] = useState<Place | null>(null);
  useEffect(() => {
    if (pending !== null && pending.row < rows) {
      grid.current?.goTo(pending.row, pending.column);
      setPending(null);
    }
  }, [pending, rows]);
  const hidden = useMemo(() => new Set(state.hidden), [state.hidden]);
  const shown = useMemo(
    () =>
      facts.columns
        .map((column, position) => ({ column, position }))
        .filter(({ column }) => !hidden.has(column.name)),
    [facts.columns, hidden]
  );
  const id = plain ? '' : (view?.id ?? '');
  const ready = plain || view !== undefined;
  const gridView = useMemo<GridView | undefined>(
    () =>
      !ready
        ? undefined
        : {
            key: `${name}@${version}/${id}/${shown.map(s => s.position).join()}`,
            rows,
            shown,
            load: (offset, limit, positions, signal) =>
              client.bytes('/datasets/{name}/rows', {
                path: { name },
                query: {
                  version,
                  view: id,
                  offset,
                  limit,
                  columns:
                    positions.length === facts.columns.length ? '' : writePositions(positions)
                },
                signal
              })
          },
    [client, facts.columns.length, id, name, ready, rows, shown, version]
  );
  // What was shown stays until the first rows of the next view can be asked for.
  const last = useRef<GridView>();
  useEffect(() => {
    last.current = gridView ?? last.current;
  }, [gridView]);
  const knownOf = useMemo(
    () => new Map(facts.columns.map(column => [column.name, column.known])),
    [facts.columns]
  );
  const header = (column: string): IHeaderFacts => {
    const place = state.sort.findIndex(key => key.column === column);
    const known = knownOf.get(column);
    return {
      note:
        column === target
          ? trans.__('target')
          : column === time
            ? trans.__('time')
            : known === 'after'
              ? trans.__('known after')
              : '',
      profile: profiles.get(column),
      seen: profile.data?.seen ?? 0,
      sorted: place + 1,
      descending: state.sort[place]?.descending ?? false
    };
  };
  const add = (condition: Condition): void =>
    change({ ...state, conditions: [...state.conditions, condition] });
  const menu = ({ column, cell, x, y }: IMenuPlace): void => {
    const sorted = (descending: boolean): (() => void) => {
      return () => change({ ...state, sort: [{ column, descending }] });
    };
    const short = shortened(cell?.value ?? '');
    const kind = kindOf(facts.columns.find(found => found.name === column)?.type ?? '');
    const exact = kind !== 'other' && (cell?.value.length ?? 0) < CUT;
    openMenu(
      [
        ...(cell === null || cell.loading
          ? []
          : cell.missing
            ? [
                {
                  label: trans.__('Only Rows Where %1 Is Missing', column),
                  act: () => add({ column, operator: 'missing', values: [] })
                },
                {
                  label: trans.__('Hide Rows Where %1 Is Missing', column),
                  act: () => add({ column, operator: 'present', values: [] })
                },
                null
              ]
            : [
                ...(exact
                  ? [
                      {
                        label: trans.__('Only Rows With %1', short),
                        act: () => add({ column, operator: '=', values: [asTyped(cell.value)] })
                      },
                      {
                        label: trans.__('Hide Rows With %1', short),
                        act: () => add({ column, operator: '!=', values: [asTyped(cell.value)] })
                      }
                    ]
                  : []),
                { label: trans.__('Copy Value'), act: () => Clipboard.copyToSystem(cell.value) },
                null
              ]),
        { label: trans.__('Sort %1 Ascending', column), act: sorted(false) },
        { label: trans.__('Sort %1 Descending', column), act: sorted(true) },
        {
          label: trans.__('Then Sort by %1', column),
          act: () => change({ ...state, sort: sortedBy(state.sort, column, true) })
        },
        null,
        { label: trans.__('Filter by %1…', column), act: () => setAsked(column) },
        {
          label: trans.__('Hide %1', column),
          act: () => change({ ...state, hidden: [...state.hidden, column] })
        },
        { label: trans.__('Copy Column Name'), act: () => Clipboard.copyToSystem(column) }
      ],
      x,
      y
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      event.stopPropagation();
      setFinding(true);
    }
  };
  const failed = view?.state === 'failed' && view.error !== null ? view.error : undefined;
  return (
    <div className="pj-Rows" onKeyDown={onKeyDown}>
      <ViewBar
        name={name}
        columns={facts.columns}
        profiles={profiles}
        state={state}
        spec={spec}
        onChange={change}
        onFind={() => setFinding(true)}
        onExport={started => setExporting(started.id)}
        asked={asked}
        onAsked={setAsked}
      />
      {finding && (
        <FindBar
          name={name}
          version={version}
          view={id}
          columns={shown.map(({ column }) => column.name)}
          from={cursor === null ? null : { row: cursor.row - 1, column: cursor.column }}
          onFound={setPending}
          onClose={() => {
            setFinding(false);
            grid.current?.focus();
          }}
        />
      )}
      {!plain && opened.error !== undefined && (
        <ErrorView error={opened.error} retry={opened.reload} compact />
      )}
      {failed !== undefined && <ErrorView error={new PerijoveError(failed)} compact />}
      {exported !== undefined && (
        <div className="pj-Columns-bar">
          <TaskProgress task={exported} label={exported.title} />
          {exported.state === 'failed' && (
            <Button look="link" onClick={() => setExporting('')}>
              {trans.__('Dismiss')}
            </Button>
          )}
        </div>
      )}
      <LoadingBar active={!plain && opened.loading} />
      {facts.rows === 0 ? (
        <Empty>{trans.__('This version has no rows.')}</Empty>
      ) : view?.rows === 0 ? (
        <Empty
          action={
            <Button onClick={() => change({ ...state, conditions: [] })}>
              {trans.__('Clear the filters')}
            </Button>
          }
        >
          {trans.__('None of the %1 rows passes the filters.', count(facts.rows))}
        </Empty>
      ) : (
        <GridHost
          ref={grid}
          label={trans.__('Rows of %1', name)}
          identity={`${name}@${version}`}
          view={gridView ?? last.current}
          header={header}
          headerKey={JSON.stringify([
            state.sort,
            target,
            time,
            profile.data?.stage ?? '',
            facts.columns.map(c => c.known).join()
          ])}
          onViewed={(first, last) => setSeen({ first, last })}
          onCursor={setCursor}
          onSort={(column, more) => change({ ...state, sort: sortedBy(state.sort, column, more) })}
          onMenu={menu}
        />
      )}
      <footer className="pj-Rows-status">
        <span className="pj-Rows-range">
          {rowsInWords(seen, view?.rows ?? (plain ? facts.rows : null), facts.rows, trans)}
          {profile.data !== undefined &&
            profile.data.stage !== 'full' &&
            ` · ${
              profile.data.stage === 'sample'
                ? trans.__('histograms of %1 rows', count(profile.data.seen))
                : trans.__('no histograms yet')
            }`}
        </span>
        {task !== undefined && view?.state === 'building' && (
          <TaskProgress
            task={task}
            label={trans.__('first %1 rows; making all', count(view.reachable))}
          />
        )}
        {cursor !== null && <CellView name={name} version={version} view={id} cursor={cursor} />}
      </footer>
    </div>
  );
}

/** The view of a spec; asked again while its copy is being made. */
function useView(
  name: string,
  spec: ViewSpec,
  enabled: boolean
): ReturnType<typeof useResource<View>> {
  const { version, filter, sort } = spec;
  return useResource(
    ['view', name, JSON.stringify([version, filter, sort])],
    ['data'],
    (client, signal) =>
      client.post('/datasets/{name}/views', {
        path: { name },
        body: { version, filter, sort, columns: [] },
        signal
      }),
    { enabled }
  );
}

/** Drop what speaks of columns that this version does not have. */
function fitting(state: ViewState, dataset: Dataset): ViewState {
  const names = new Set(dataset.facts.columns.map(column => column.name));
  return {
    ...state,
    conditions: state.conditions.filter(({ column }) => names.has(column)),
    sort: state.sort.filter(({ column }) => names.has(column)),
    hidden: state.hidden.filter(column => names.has(column))
  };
}

function shortened(value: string): string {
  return value === '' ? '“”' : value.length > 24 ? `${value.slice(0, 23)}…` : value;
}

/** A value as a filter takes it: infinity has another sign in the grid. */
function asTyped(value: string): string {
  return value === '∞' ? 'Infinity' : value === '-∞' ? '-Infinity' : value;
}

function rowsInWords(
  { first, last }: { first: number; last: number },
  rows: number | null,
  all: number,
  trans: Trans
): string {
  const whole =
    rows === null
      ? trans.__('counting')
      : rows === all
        ? count(all)
        : trans.__('%1 (of %2)', count(rows), count(all));
  return last > 0
    ? trans.__('rows %1–%2 of %3', count(first), count(last), whole)
    : trans.__('%1 rows', whole);
}
