import { useEffect, useMemo, useRef, useState } from 'react';

import { asPerijoveError, type Dataset, type PerijoveError, type Variable } from '../../api';
import { Button } from '../../kit/button';
import { Empty, ErrorView, Skeleton } from '../../kit/feedback';
import { bytes, count } from '../../kit/format';
import { PageHeader } from '../../kit/header';
import type { PageArgs, PageProps } from '../../kit/page';
import { useTrans, useVisible } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import type { IHeaderFacts } from '../rows/headers';
import type { ICursor } from '../rows/grid';
import type { KernelTables } from '../variables';
import { GridHost, type GridView } from './grid_host';

export interface VariablesArgs extends PageArgs {
  /** The notebook, by its path on the server. */
  notebook: string;
}

/** Often enough to follow the cells, and nothing that a training loop would feel. */
const LOOK_MS = 2000;

/** Opens a connection to the kernel of a notebook. */
export type OpenTables = (notebook: string) => KernelTables;

/** The page that shows the tables of kernels which are reached by `open`. */
export function variablesPage(open: OpenTables): (props: PageProps<VariablesArgs>) => JSX.Element {
  return ({ args }) => <VariablesPage notebook={args.notebook} open={open} />;
}

/** The tables among the variables of a notebook's kernel, while cells run. */
function VariablesPage(props: { notebook: string; open: OpenTables }): JSX.Element {
  const { notebook, open } = props;
  const trans = useTrans();
  const visible = useVisible();
  const [attempt, setAttempt] = useState(0);
  const [tables, setTables] = useState<KernelTables>();
  const [variables, setVariables] = useState<Variable[]>();
  const [error, setError] = useState<PerijoveError>();
  const [chosen, setChosen] = useState<string>();

  useEffect(() => {
    let made: KernelTables | undefined;
    try {
      made = open(notebook);
      setTables(made);
      setError(undefined);
    } catch (reason) {
      setError(asPerijoveError(reason));
    }
    return () => {
      made?.dispose();
      setTables(undefined);
    };
  }, [notebook, attempt, open]);

  useEffect(() => {
    if (tables === undefined || !visible) {
      return;
    }
    let gone = false;
    let timer = 0;
    const look = async (): Promise<void> => {
      try {
        const found = await tables.list();
        if (!gone) {
          setVariables(found);
          setError(undefined);
        }
      } catch (reason) {
        if (!gone) {
          setError(asPerijoveError(reason));
        }
      }
      if (!gone && !tables.isDisposed) {
        timer = window.setTimeout(() => void look(), LOOK_MS);
      }
    };
    void look();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [tables, visible]);

  const columns = useMemo<TableColumn<Variable>[]>(
    () => [
      { id: 'name', title: trans.__('Variable'), value: v => v.name, min: 120, grow: 2 },
      { id: 'type', title: trans.__('Type'), value: v => v.type, min: 140 },
      {
        id: 'rows',
        title: trans.__('Rows'),
        value: v => v.rows,
        render: v => count(v.rows),
        align: 'end',
        min: 96,
        grow: 0
      },
      {
        id: 'columns',
        title: trans.__('Columns'),
        value: v => v.columns,
        render: v => count(v.columns),
        align: 'end',
        min: 84,
        grow: 0
      },
      {
        id: 'bytes',
        title: trans.__('Memory'),
        value: v => v.bytes,
        render: v => (v.bytes === null ? '' : bytes(v.bytes)),
        align: 'end',
        min: 96,
        grow: 0
      }
    ],
    [trans]
  );
  const current = variables?.find(variable => variable.name === chosen);
  return (
    <div className="pj-Variables pj-PageFill">
      <PageHeader
        kind={trans.__('Tables of')}
        title={notebook.replace(/^.*\//, '')}
        facts={
          variables !== undefined && (
            <span>{trans._n('%1 table', '%1 tables', variables.length)}</span>
          )
        }
        actions={<Button onClick={() => setAttempt(attempt + 1)}>{trans.__('Look again')}</Button>}
      />
      {error !== undefined && (
        <ErrorView error={error} retry={() => setAttempt(attempt + 1)} compact />
      )}
      {variables === undefined ? (
        error === undefined && <Skeleton />
      ) : (
        <div className="pj-Variables-list">
          <DataTable
            label={trans.__('Tables')}
            columns={columns}
            rows={variables}
            rowKey={variable => variable.name}
            rowClass={variable => (variable.name === chosen ? 'pj-mod-selected' : undefined)}
            onOpen={variable => setChosen(variable.name)}
            height="fill"
            empty={
              <Empty>
                {trans.__(
                  'This kernel has no table yet: a data frame, an Arrow table or an array that has a name shows here.'
                )}
              </Empty>
            }
          />
        </div>
      )}
      {tables !== undefined && current !== undefined && (
        <VariableRows
          key={`${current.name} ${current.rows} ${current.columns} ${attempt}`}
          tables={tables}
          variable={current}
        />
      )}
    </div>
  );
}

function VariableRows(props: { tables: KernelTables; variable: Variable }): JSX.Element {
  const { tables, variable } = props;
  const trans = useTrans();
  const [columns, setColumns] = useState<Dataset['facts']['columns']>();
  const [error, setError] = useState<PerijoveError>();
  const [seen, setSeen] = useState({ first: 0, last: 0 });
  const [cursor, setCursor] = useState<ICursor | null>(null);
  const made = useRef(0);
  useEffect(() => {
    let gone = false;
    tables.describe(variable.name).then(
      found => {
        if (!gone) {
          made.current++;
          setColumns(found.columns);
        }
      },
      (reason: unknown) => {
        if (!gone) {
          setError(asPerijoveError(reason));
        }
      }
    );
    return () => {
      gone = true;
    };
  }, [tables, variable.name]);
  const view = useMemo<GridView | undefined>(
    () =>
      columns === undefined
        ? undefined
        : {
            key: `${variable.name} ${made.current}`,
            rows: variable.rows,
            shown: columns.map((column, position) => ({ column, position })),
            load: (offset, limit, positions) => tables.rows(variable.name, offset, limit, positions)
          },
    [columns, tables, variable.name, variable.rows]
  );
  if (error !== undefined) {
    return <ErrorView error={error} compact />;
  }
  if (variable.rows === 0) {
    return <Empty>{trans.__('%1 has no rows.', variable.name)}</Empty>;
  }
  return (
    <div className="pj-Rows">
      <GridHost
        label={trans.__('Rows of %1', variable.name)}
        identity={variable.name}
        view={view}
        header={plainHeader}
        headerKey=""
        onViewed={(first, last) => setSeen({ first, last })}
        onCursor={setCursor}
        onSort={() => {}}
        onMenu={() => {}}
      />
      <footer className="pj-Rows-status">
        <span className="pj-Rows-range">
          {trans.__(
            '%1 · rows %2–%3 of %4',
            variable.name,
            count(seen.first),
            count(seen.last),
            count(variable.rows)
          )}
        </span>
        {cursor !== null && (
          <span className="pj-Rows-cursor" aria-live="polite">
            <span className="pj-Rows-cell">
              {trans.__('row %1 · %2', count(cursor.row), cursor.column)}
            </span>
            <code title={cursor.shown}>{cursor.shown}</code>
          </span>
        )}
      </footer>
    </div>
  );
}

/** A variable has no declarations, and no profile. */
function plainHeader(): IHeaderFacts {
  return { note: '', profile: undefined, seen: 0, sorted: 0, descending: false };
}
