import type { KeyboardEvent } from 'react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { RunColumn } from '../../api';
import { Button } from '../../kit/button';
import { Empty, ErrorView, LoadingBar, Skeleton } from '../../kit/feedback';
import { PageHeader } from '../../kit/header';
import { useKept } from '../../kit/kept';
import { LongTable } from '../../kit/long_table';
import { colorOf } from '../../kit/palette';
import { useProjectPath, useServices, useSignal, useTrans } from '../../kit/services';
import { PLAIN_CURVES, readCurveLook, type CurveLook } from '../curve_look';
import type { Line } from '../lines';
import {
  askedColumns,
  askOf,
  isOwnTag,
  nextSort,
  PLAIN_LOOK,
  readLook,
  shownColumns,
  steadyDefaults,
  type RunsLook
} from '../look';
import type { CurrentNotebook } from '../notebook';
import { useRunActions } from '../run_actions';
import type { RunSelection } from '../selection';
import { CommandIDs } from '../tokens';
import { previewOf, useCharted } from '../use_charted';
import { useChosen } from '../use_chosen';
import { useRunTable } from '../use_table';
import { fallsFirst, useTargets } from '../use_targets';
import { runColumns } from './columns';
import { CurvePanel } from './curve_panel';
import { NoteEditor } from './note_editor';
import { RunsToolbar } from './runs_toolbar';
import { SelectionBar } from './selection_bar';
import { HALF, Split } from './split';

const NO_COLUMNS: readonly RunColumn[] = [];
const NONE: ReadonlySet<string> = new Set();

/** The page of runs, which knows the notebook that the user is in, and tells what is chosen. */
export function runsPage(notebook: CurrentNotebook, selection: RunSelection): () => JSX.Element {
  return function RunsPage() {
    const here = useSignal(notebook.changed, () => notebook.path);
    const project = useProjectPath();
    return <RunsView key={project} project={project ?? ''} here={here} selection={selection} />;
  };
}

interface RunsViewProps {
  project: string;
  here: string | null;
  selection: RunSelection;
}

function RunsView({ project, here, selection }: RunsViewProps): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const [look, setLook] = useKept<RunsLook>(`runs ${project}`, PLAIN_LOOK, readLook);
  const [curves, setCurves] = useKept<CurveLook>(`curves ${project}`, PLAIN_CURVES, readCurveLook);
  const [share, setShare] = useKept<number>('split', HALF, kept =>
    typeof kept === 'number' ? kept : undefined
  );
  const onLook = useCallback(
    (change: Partial<RunsLook>) => setLook(old => ({ ...old, ...change })),
    [setLook]
  );
  const onCurves = useCallback(
    (change: Partial<CurveLook>) => setCurves(old => ({ ...old, ...change })),
    [setCurves]
  );
  const { kpis, directions } = useTargets();

  // What can be shown is in each answer; what is shown of it is asked for with the next one.
  const [asked, setAsked] = useState<readonly string[]>([]);
  const { pages, table } = useRunTable(useMemo(() => askOf(look, asked), [look, asked]));
  const columns = table.table?.columns ?? NO_COLUMNS;
  const defaults = useRef<ReadonlySet<string>>(NONE);
  const shown = useMemo(() => {
    defaults.current = steadyDefaults(defaults.current, columns);
    return shownColumns(columns, defaults.current, look);
  }, [columns, look]);
  useEffect(() => {
    const next = askedColumns(shown, columns);
    setAsked(old => (old.join('\n') === next.join('\n') ? old : next));
  }, [shown, columns]);

  const chosen = useChosen(project, look, table, selection);
  const actions = useRunActions(pages, chosen.ids);
  const [noted, setNoted] = useState<readonly { run_id: string; name: string }[]>([]);
  const [lit, setLit] = useState<string>();

  const { lines } = table;
  const runsThere = table.table?.runs;
  const preview = useMemo(
    () => previewOf(table),
    // The preview stays while lines are sorted or refreshed: it is of what matches.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [look.search, look.conditions, look.deleted, table.grouped, lines === 0, runsThere]
  );
  const charted = useCharted(
    chosen.ids.length > 0 ? chosen.ids : preview,
    columns,
    curves.find,
    look.deleted
  );
  const chartedIds = useMemo(() => new Set(charted.runs.map(run => run.run_id)), [charted.runs]);

  const onTag = useCallback(
    (column: string, value: string) =>
      setLook(old => ({
        ...old,
        conditions: [...old.conditions, { column, operator: '=', values: [value] }]
      })),
    [setLook]
  );
  const answered = table.columns;
  const made = table.table;
  const { star, pin } = actions;
  const tableColumns = useMemo(
    () =>
      made === undefined
        ? []
        : runColumns({
            shown,
            answered,
            table: made,
            widths: look.widths,
            grouped: table.grouped,
            charted: chartedIds,
            deleted: look.deleted,
            trans,
            onStar: star,
            onPin: pin,
            onNote: row => setNoted([row]),
            onGroup: key => pages.toggle(key),
            onTag
          }),
    [
      made,
      answered,
      shown,
      look.widths,
      look.deleted,
      table.grouped,
      chartedIds,
      trans,
      star,
      pin,
      pages,
      onTag
    ]
  );

  const search = useRef<HTMLInputElement>(null);
  const open = (line: Line): void => {
    if (line.kind === 'group') {
      pages.toggle(line.key);
    } else {
      const { run_id: id, name } = line.row;
      void commands.execute(CommandIDs.openRun, { run_id: id, name });
    }
  };
  const compare = (): void => {
    void commands.execute(CommandIDs.compareRuns, { run_ids: [...chosen.ids] });
  };
  const onKey = (event: KeyboardEvent, line: Line): boolean => {
    const row = line.kind === 'run' ? line.row : undefined;
    switch (event.key) {
      case 'ArrowRight':
      case 'ArrowLeft':
        if (line.kind === 'group' && line.open === (event.key === 'ArrowLeft')) {
          pages.toggle(line.key);
          return true;
        }
        return false;
      case 'c':
        compare();
        return true;
      case 's':
        return row !== undefined && !look.deleted && (star(row), true);
      case 'p':
        return row !== undefined && !look.deleted && (pin(row), true);
      case 'n':
        return row !== undefined && !look.deleted && (setNoted([row]), true);
      case 'Delete':
        if (chosen.ids.length > 0 && !look.deleted) {
          void commands.execute(CommandIDs.deleteRuns, { run_ids: [...chosen.ids] });
          return true;
        }
        return false;
      default:
        return false;
    }
  };
  const onPageKey = (event: KeyboardEvent): void => {
    const typing =
      event.target instanceof Element && event.target.closest('input, textarea, select') !== null;
    if (typing) {
      return;
    }
    if (event.key === '/') {
      event.preventDefault();
      search.current?.focus();
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void chosen.all();
    } else if (event.key === 'Escape' && chosen.ids.length > 0) {
      chosen.clear();
    }
  };

  const filtered = look.search !== '' || look.conditions.length > 0;
  const nothing = made !== undefined && made.runs === 0 && !look.deleted;
  return (
    <div className="pj-Runs pj-PageFill" onKeyDown={onPageKey}>
      <PageHeader
        title={look.deleted ? trans.__('Deleted runs') : trans.__('Runs')}
        actions={
          <Button
            disabled={chosen.ids.length < 2}
            title={trans.__('The chosen runs side by side (C)')}
            onClick={compare}
          >
            {trans.__('Compare runs')}
          </Button>
        }
      />
      <LoadingBar active={table.loading} />
      {table.error !== undefined && (
        <ErrorView error={table.error} retry={pages.retry} compact={made !== undefined} />
      )}
      {actions.error !== undefined && <ErrorView error={actions.error} compact />}
      {made === undefined ? (
        table.error === undefined && <Skeleton lines={8} />
      ) : nothing ? (
        <Empty>
          {trans.__(
            'No run is tracked yet: put %%train at the head of the cell that trains a model, and run it.'
          )}
        </Empty>
      ) : (
        <>
          <RunsToolbar
            look={look}
            onLook={onLook}
            columns={columns}
            shown={shown}
            fault={table.fault}
            box={search}
            here={here}
          />
          <Split
            share={share}
            onShare={setShare}
            first={
              <>
                <SelectionBar
                  chosen={chosen.ids.length}
                  total={made.total}
                  runs={made.runs}
                  grouped={table.grouped}
                  deleted={look.deleted}
                  tags={columns
                    .map(({ column }) => column)
                    .filter(isOwnTag)
                    .map(column => column.slice('tags.'.length))}
                  onClear={chosen.clear}
                  onCompare={compare}
                  onStar={() => void actions.change({ star: true })}
                  onPin={() => void actions.change({ pin: true })}
                  onTag={(key, value) => actions.change({ tags: { [key]: value } })}
                  onUntag={key => actions.change({ untag: [key] })}
                  onNote={() => setNoted(chosen.named())}
                  onDelete={() =>
                    void commands.execute(CommandIDs.deleteRuns, { run_ids: [...chosen.ids] })
                  }
                  onRestore={() =>
                    void commands
                      .execute(CommandIDs.restoreRuns, { run_ids: [...chosen.ids] })
                      .then(chosen.clear)
                  }
                  onExport={() =>
                    void commands.execute(CommandIDs.exportRuns, {
                      run_ids: [...chosen.ids],
                      look,
                      columns: [...asked]
                    })
                  }
                />
                {table.lines === 0 ? (
                  <NoMatch filtered={filtered} deleted={look.deleted} onLook={onLook} />
                ) : (
                  <LongTable<Line>
                    label={trans.__('Runs')}
                    columns={tableColumns}
                    total={table.lines}
                    row={table.line}
                    version={table.version}
                    question={table.question}
                    rowKey={line => line.key}
                    rowLabel={labelOf}
                    rowClass={line => (line.kind === 'group' ? 'pj-mod-group' : undefined)}
                    onView={(first, last) => pages.view(first, last)}
                    sort={look.sort}
                    onSort={(column, add) =>
                      onLook({
                        sort: nextSort(
                          look.sort,
                          column,
                          add,
                          fallsFirst(column, table.table?.columns ?? [], directions)
                        )
                      })
                    }
                    onResize={(column, width) => {
                      const { [column]: _, ...rest } = look.widths;
                      onLook({ widths: width === undefined ? rest : { ...rest, [column]: width } });
                    }}
                    selected={chosen.keys}
                    onToggle={chosen.toggle}
                    all={chosen.share}
                    onToggleAll={() => (chosen.ids.length > 0 ? chosen.clear() : void chosen.all())}
                    swatch={line => (line.kind === 'run' ? colorOf(line.key) : undefined)}
                    onOpen={open}
                    onKey={onKey}
                    lit={lit}
                    onLit={key =>
                      setLit(key !== undefined && chartedIds.has(key) ? key : undefined)
                    }
                  />
                )}
              </>
            }
            second={
              noted.length > 0 ? (
                <NoteEditor
                  key={noted.map(run => run.run_id).join()}
                  runs={noted}
                  onClose={() => setNoted([])}
                />
              ) : (
                <CurvePanel
                  runs={charted.runs}
                  metrics={charted.metrics}
                  loading={charted.loading}
                  more={Math.max(0, chosen.ids.length - charted.runs.length)}
                  kpis={kpis}
                  look={curves}
                  onLook={onCurves}
                  lit={lit}
                  onLit={setLit}
                  sync="runs"
                />
              )
            }
          />
        </>
      )}
    </div>
  );
}

function NoMatch(props: {
  filtered: boolean;
  deleted: boolean;
  onLook: (change: Partial<RunsLook>) => void;
}): JSX.Element {
  const { filtered, deleted, onLook } = props;
  const trans = useTrans();
  return filtered ? (
    <Empty
      action={
        <Button onClick={() => onLook({ search: '', conditions: [] })}>
          {trans.__('Clear search and filters')}
        </Button>
      }
    >
      {trans.__('No run matches.')}
    </Empty>
  ) : (
    <Empty
      action={
        deleted && (
          <Button onClick={() => onLook({ deleted: false })}>{trans.__('Show the runs')}</Button>
        )
      }
    >
      {trans.__('No run is deleted.')}
    </Empty>
  );
}

function labelOf(line: Line): string {
  return line.kind === 'run' ? line.row.name : (line.group.value ?? '');
}
