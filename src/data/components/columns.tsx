import { useMemo, useState } from 'react';

import type { Column, Dataset, Request } from '../../api';
import { useAction } from '../../kit/action';
import { ErrorView } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { count, percent } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import { Badge, Ellipsis } from '../../kit/values';
import { isNumeric } from '../types';

type Settings = Request<'DatasetSettings'>;

/** So many columns are read at a glance; more get a filter. */
const GLANCE = 12;

/** What is declared about a dataset: its target, its time, and what is known when. */
export function Columns({ dataset }: { dataset: Dataset }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [filter, setFilter] = useState('');
  const { name, target, time, facts } = dataset;
  const { run, busy, error } = useAction(async (settings: Partial<Settings>) => {
    await client.put('/datasets/{name}', {
      path: { name },
      body: { known: null, target: null, time: null, ...settings }
    });
    events.announce('data');
  });
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
  const columns: TableColumn<Column>[] = [
    {
      id: 'name',
      title: trans.__('Column'),
      value: column => column.name,
      render: column => (
        <>
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
      render: column => (
        <>
          <span aria-hidden="true" className="pj-Columns-kind">
            {sign(column.type)}
          </span>
          <Ellipsis text={column.type} className="pj-mod-quiet" />
        </>
      ),
      min: 130
    },
    {
      id: 'nulls',
      title: trans.__('Missing'),
      value: column => column.nulls,
      render: column => (
        <span className={column.nulls === 0 ? 'pj-mod-quiet' : undefined}>
          {column.nulls === 0
            ? trans.__('none')
            : `${count(column.nulls)} (${share(column.nulls, facts.rows)})`}
        </span>
      ),
      align: 'end',
      min: 130
    },
    {
      id: 'known',
      title: trans.__('Known only after the prediction'),
      help: trans.__(
        'A value that is not there yet when the prediction is asked for, such as the duration of a build that has not run. A model that uses one does not pass the gate.'
      ),
      value: column => column.known,
      render: column =>
        column.name === target ? (
          <span className="pj-mod-quiet">{trans.__('it is what is predicted')}</span>
        ) : (
          <input
            type="checkbox"
            className="pj-Columns-known"
            aria-label={trans.__('%1 is known only after the prediction', column.name)}
            checked={column.known === 'after'}
            disabled={busy}
            onChange={() => turn(column)}
          />
        ),
      min: 240
    }
  ];
  const choices = [
    { value: '', label: trans.__('None') },
    ...facts.columns.map(column => ({ value: column.name, label: column.name }))
  ];
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
      <DataTable
        label={trans.__('Columns')}
        columns={columns}
        rows={shown}
        rowKey={column => column.name}
        onKey={(key, column) => {
          if (key !== ' ') {
            return false;
          }
          turn(column);
          return true;
        }}
        height="fill"
        empty={
          <p className="pj-mod-quiet">
            {trans.__('No column has “%1” in its name.', filter.trim())}
          </p>
        }
      />
    </div>
  );
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
