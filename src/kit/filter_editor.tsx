import type { FormEvent } from 'react';
import { useState } from 'react';

import { Button } from './button';
import {
  arity,
  operatorName,
  operatorsOf,
  type ColumnKind,
  type Condition,
  type Operator
} from './conditions';
import { ListField, SelectField, TextField } from './form';
import { useTrans } from './services';

/** A column that can be asked for something. */
export interface FilterColumn {
  name: string;
  /** What it is called, where that is not its name. */
  label?: string;
  kind: ColumnKind;
  /** Values to choose from. */
  suggestions?: readonly string[];
  /** What its values are like, such as their range. */
  note?: string;
}

export interface FilterEditorProps {
  columns: readonly FilterColumn[];
  /** The condition to begin with; a new one when left out. */
  condition?: Condition;
  /** The column of a new one. */
  start?: string;
  onDone: (condition: Condition) => void;
  onCancel?: () => void;
}

/** More columns than these are found by typing. */
const LISTED = 200;

/** One condition: a column, what is asked of it, and the values. */
export function FilterEditor(props: FilterEditorProps): JSX.Element {
  const { columns, condition, start = '', onDone, onCancel } = props;
  const trans = useTrans();
  const [column, setColumn] = useState(
    condition?.column ?? (start === '' ? (columns[0]?.name ?? '') : start)
  );
  const found = columns.find(({ name }) => name === column);
  const kind = found?.kind ?? 'other';
  const operators = operatorsOf(kind);
  const [chosen, setOperator] = useState<Operator>(condition?.operator ?? operators[0]!);
  const operator = operators.includes(chosen) ? chosen : operators[0]!;
  const [values, setValues] = useState<readonly string[]>(condition?.values ?? ['']);
  const takes = arity(operator);
  const needed = takes === 'many' ? 1 : takes;
  const whole =
    found !== undefined &&
    (takes === 0 ||
      kind === 'truth' ||
      (kind === 'text' && takes === 1) ||
      values.filter(Boolean).length >= needed);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (whole) {
      const kept =
        takes === 'many'
          ? values.filter(Boolean)
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
  return (
    <form className="pj-FilterEditor" onSubmit={submit}>
      {columns.length > LISTED ? (
        <TextField
          label={trans.__('Column')}
          error={found === undefined ? trans.__('There is no column %1.', column) : undefined}
          value={column}
          suggestions={columns
            .filter(({ name }) => name.includes(column))
            .slice(0, LISTED)
            .map(({ name }) => name)}
          onChange={setColumn}
        />
      ) : (
        <SelectField
          label={trans.__('Column')}
          value={column}
          options={columns.map(({ name, label = name }) => ({ value: name, label }))}
          onChange={setColumn}
        />
      )}
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
          <OneValue
            key={`${column} ${takes === 'many' ? 'many' : 'one'}`}
            many={takes === 'many'}
            label={takes === 2 ? trans.__('From') : trans.__('Value')}
            help={takes === 'many' ? trans.__('Several values, with commas between') : found?.note}
            placeholder={kind === 'time' ? '2024-02-29 10:00' : undefined}
            suggestions={found?.suggestions}
            values={values}
            onValues={setValues}
            onValue={value => set(0, value)}
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

function OneValue(props: {
  many: boolean;
  label: string;
  help: string | undefined;
  placeholder: string | undefined;
  suggestions: readonly string[] | undefined;
  values: readonly string[];
  onValues: (values: string[]) => void;
  onValue: (value: string) => void;
}): JSX.Element {
  const { many, label, help, placeholder, suggestions, values, onValues, onValue } = props;
  return many ? (
    <ListField label={label} help={help} values={values.filter(Boolean)} onChange={onValues} />
  ) : (
    <TextField
      label={label}
      help={help}
      placeholder={placeholder}
      suggestions={suggestions}
      value={values[0] ?? ''}
      onChange={onValue}
    />
  );
}
