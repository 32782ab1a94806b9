import type { FormEvent } from 'react';
import { useState } from 'react';

import type { ColumnProfile, Dataset } from '../../api';
import { Button } from '../../kit/button';
import { SelectField, TextField } from '../../kit/form';
import { useTrans } from '../../kit/services';
import { arity, kindOf, operatorName, operatorsOf, type Condition, type Operator } from '../view';

export interface FilterEditorProps {
  columns: Dataset['facts']['columns'];
  /** What is known of the values, to choose from. */
  profiles: ReadonlyMap<string, ColumnProfile>;
  /** The condition to begin with; a new one when left out. */
  condition?: Condition;
  /** The column of a new one. */
  start?: string;
  onDone: (condition: Condition) => void;
  onCancel?: () => void;
}

/** One condition: a column, what is asked of it, and the values. */
export function FilterEditor(props: FilterEditorProps): JSX.Element {
  const { columns, profiles, condition, start = '', onDone, onCancel } = props;
  const trans = useTrans();
  const [column, setColumn] = useState(
    condition?.column ?? (start === '' ? (columns[0]?.name ?? '') : start)
  );
  const type = columns.find(found => found.name === column)?.type ?? '';
  const kind = kindOf(type);
  const operators = operatorsOf(kind);
  const [chosen, setOperator] = useState<Operator>(condition?.operator ?? operators[0]!);
  const operator = operators.includes(chosen) ? chosen : operators[0]!;
  const [values, setValues] = useState<readonly string[]>(condition?.values ?? ['']);
  const takes = arity(operator);
  const profile = profiles.get(column);
  const suggestions = profile?.top.map(top => top.value);
  const range =
    profile?.minimum != null && profile.maximum != null && kind !== 'truth'
      ? trans.__('%1 to %2', shortened(profile.minimum), shortened(profile.maximum))
      : undefined;
  const needed = takes === 'many' ? 1 : takes;
  const whole =
    takes === 0 ||
    kind === 'truth' ||
    (kind === 'text' && takes === 1) ||
    values.filter(Boolean).length >= needed;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (whole) {
      const kept =
        takes === 'many'
          ? (values[0] ?? '')
              .split(/\r?\n|,/)
              .map(text => text.trim())
              .filter(Boolean)
          : kind === 'truth' && takes === 1
            ? [values[0] === 'false' ? 'false' : 'true']
            : values.slice(0, takes);
      onDone({ column, operator, values: kept });
    }
  };
  const set = (index: number, value: string): void => {
    const next = [...values];
    next[index] = value;
    setValues(next);
  };
  const many = values.length > 1 && takes === 'many' ? values.join(', ') : (values[0] ?? '');
  return (
    <form className="pj-FilterEditor" onSubmit={submit}>
      <SelectField
        label={trans.__('Column')}
        value={column}
        options={columns.map(({ name }) => ({ value: name, label: name }))}
        onChange={setColumn}
      />
      <SelectField
        label={trans.__('Condition')}
        value={operator}
        options={operators.map(value => ({ value, label: operatorName(value, trans) }))}
        onChange={value => setOperator(value as Operator)}
      />
      {takes !== 0 &&
        (kind === 'truth' ? (
          <SelectField
            label={trans.__('Value')}
            value={values[0] === 'false' ? 'false' : 'true'}
            options={[
              { value: 'true', label: trans.__('true') },
              { value: 'false', label: trans.__('false') }
            ]}
            onChange={value => set(0, value)}
          />
        ) : (
          <TextField
            label={takes === 2 ? trans.__('From') : trans.__('Value')}
            help={takes === 'many' ? trans.__('Several values, with commas between') : range}
            value={takes === 'many' ? many : (values[0] ?? '')}
            suggestions={takes === 'many' ? undefined : suggestions}
            placeholder={kind === 'time' ? '2024-02-29 10:00' : undefined}
            onChange={value => (takes === 'many' ? setValues([value]) : set(0, value))}
          />
        ))}
      {takes === 2 && (
        <TextField
          label={trans.__('To')}
          value={values[1] ?? ''}
          onChange={value => set(1, value)}
        />
      )}
      <div className="pj-FilterEditor-actions">
        {onCancel !== undefined && (
          <Button look="link" onClick={onCancel}>
            {trans.__('Cancel')}
          </Button>
        )}
        <Button look="accept" type="submit" disabled={!whole}>
          {condition === undefined ? trans.__('Add filter') : trans.__('Change filter')}
        </Button>
      </div>
    </form>
  );
}

function shortened(text: string): string {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
