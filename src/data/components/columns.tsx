import { useState } from 'react';

import type { Dataset, Request } from '../../api';
import { useAction } from '../../kit/action';
import { ErrorView } from '../../kit/feedback';
import { SelectField } from '../../kit/form';
import { count, percent } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';
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
  const declare = useAction(async (settings: Partial<Settings>) => {
    await client.put('/datasets/{name}', {
      path: { name: dataset.name },
      body: { known: null, target: null, time: null, ...settings }
    });
    events.announce('data');
  });
  const { columns, rows } = dataset.facts;
  const needle = filter.trim().toLowerCase();
  const shown = columns.filter(column => column.name.toLowerCase().includes(needle));
  const choices = (none: string): { value: string; label: string }[] => [
    { value: '', label: none },
    ...columns.map(({ name }) => ({ value: name, label: name }))
  ];
  return (
    <div className="pj-Columns">
      <div className="pj-Columns-declared">
        <SelectField
          label={trans.__('Target')}
          help={trans.__('The column that a model predicts')}
          value={dataset.target}
          options={choices(trans.__('None'))}
          disabled={declare.busy}
          onChange={target => void declare.run({ target })}
        />
        <SelectField
          label={trans.__('Time')}
          help={trans.__('When the row happened; train and test are split by it')}
          value={dataset.time}
          options={choices(trans.__('None'))}
          disabled={declare.busy}
          onChange={time => void declare.run({ time })}
        />
        {columns.length > GLANCE && (
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
      {declare.error !== undefined && <ErrorView error={declare.error} compact />}
      <div className="pj-Columns-table">
        <table className="pj-Table">
          <caption className="pj-visually-hidden">{trans.__('Columns')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Column')}</th>
              <th scope="col">{trans.__('Type')}</th>
              <th scope="col" className="pj-mod-number">
                {trans.__('Missing')}
              </th>
              <th scope="col">
                <span
                  title={trans.__(
                    'A value that is not there yet when the prediction is asked for, such as the duration of a build that has not run. A model that uses one does not pass the gate.'
                  )}
                >
                  {trans.__('Known only after the prediction')}
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(column => {
              const isTarget = column.name === dataset.target;
              return (
                <tr key={column.name}>
                  <th scope="row" className="pj-Columns-name">
                    <Ellipsis text={column.name} />
                    {isTarget && <Badge>{trans.__('target')}</Badge>}
                    {column.name === dataset.time && <Badge>{trans.__('time')}</Badge>}
                  </th>
                  <td className="pj-Columns-type">
                    <span aria-hidden="true" className="pj-Columns-kind">
                      {sign(column.type)}
                    </span>
                    <Ellipsis text={column.type} />
                  </td>
                  <td className="pj-mod-number" title={trans.__('%1 missing', count(column.nulls))}>
                    {column.nulls === 0 ? (
                      <span className="pj-mod-quiet">{trans.__('none')}</span>
                    ) : (
                      <>
                        {count(column.nulls)}{' '}
                        <span className="pj-mod-quiet">{share(column.nulls, rows)}</span>
                      </>
                    )}
                  </td>
                  <td>
                    {isTarget ? (
                      <span className="pj-mod-quiet">{trans.__('it is what is predicted')}</span>
                    ) : (
                      <input
                        type="checkbox"
                        aria-label={trans.__('%1 is known only after the prediction', column.name)}
                        checked={column.known === 'after'}
                        disabled={declare.busy}
                        onChange={event =>
                          void declare.run({
                            known: { [column.name]: event.target.checked ? 'after' : 'before' }
                          })
                        }
                      />
                    )}
                  </td>
                </tr>
              );
            })}
            {shown.length === 0 && (
              <tr>
                <td colSpan={4} className="pj-mod-quiet">
                  {trans.__('No column has “%1” in its name.', filter.trim())}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
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
  return /^(DATE|TIME|INTERVAL)/.test(type)
    ? '◷'
    : /\]$|^(STRUCT|MAP|UNION|JSON)/.test(type)
      ? '{}'
      : 'a';
}
