import type { FormEvent } from 'react';
import { useState } from 'react';

import type { Dataset, Request } from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { ErrorView } from '../../kit/feedback';
import { NumberField, SelectField } from '../../kit/form';
import { count } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';

type Method = Request<'SplitRequest'>['method'];
const PARTS = ['train', 'validation', 'test'] as const;

/** The parts of a version: fixed once, so that whoever measures later measures the same rows. */
export function SplitForm({ dataset }: { dataset: Dataset }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const { name, version, time, facts, splits } = dataset;
  const [method, setMethod] = useState<Method>(time === '' ? 'hash' : 'time');
  const [column, setColumn] = useState(time);
  const [shares, setShares] = useState<Record<string, string>>({
    train: '70',
    validation: '0',
    test: '30'
  });
  const make = useAction(async () => {
    await client.post('/datasets/{name}/split', {
      path: { name },
      body: {
        version,
        method,
        column: method === 'hash' ? '' : column,
        parts: Object.fromEntries(PARTS.map(part => [part, Number(shares[part]) / 100]))
      }
    });
    events.announce('data');
  });
  const [split] = splits;
  if (split !== undefined) {
    return (
      <p>
        {split.method === 'time'
          ? trans.__('By time, in the order of %1: ', split.column)
          : split.method === 'group'
            ? trans.__('Rows with the same %1 stay together: ', split.column)
            : trans.__('By a hash of each row’s number: ')}
        {split.parts.map(part => `${part.name} ${count(part.rows)}`).join(' · ')}
        <span className="pj-mod-quiet"> {trans.__('Fixed, for models are measured on it.')}</span>
      </p>
    );
  }
  const total = PARTS.reduce((sum, part) => sum + Number(shares[part]), 0);
  const whole = Math.abs(total - 100) < 1e-6 && (method === 'hash' || column !== '');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void make.run();
  };
  return (
    <form className="pj-SplitForm" onSubmit={submit}>
      <SelectField
        label={trans.__('Split by')}
        value={method}
        options={[
          { value: 'time', label: trans.__('time: train on the past') },
          { value: 'group', label: trans.__('group: equal values stay together') },
          { value: 'hash', label: trans.__('chance, the same on every machine') }
        ]}
        onChange={value => setMethod(value as Method)}
      />
      {method !== 'hash' && (
        <SelectField
          label={method === 'time' ? trans.__('Time') : trans.__('Group')}
          value={column}
          options={[
            { value: '', label: trans.__('Choose a column') },
            ...facts.columns.map(c => ({ value: c.name, label: c.name }))
          ]}
          onChange={setColumn}
        />
      )}
      {PARTS.map(part => (
        <NumberField
          key={part}
          label={`${part} %`}
          help={count(Math.round((facts.rows * Number(shares[part])) / 100))}
          value={shares[part] ?? ''}
          onChange={text => setShares({ ...shares, [part]: text })}
        />
      ))}
      <Button type="submit" busy={make.busy} disabled={!whole}>
        {trans.__('Fix the split')}
      </Button>
      {Math.abs(total - 100) >= 1e-6 && (
        <p className="pj-FormRow-note" role="status">
          {trans.__('The shares add up to %1 %, not to 100 %.', total)}
        </p>
      )}
      {make.error !== undefined && <ErrorView error={make.error} compact />}
    </form>
  );
}
