import type { InputHTMLAttributes, ReactNode } from 'react';
import { useId, useState } from 'react';

import { classes } from './classes';

export interface FormRowProps {
  label: string;
  /** What it means, under the field. */
  help?: string;
  /** What is wrong with the value. */
  error?: string;
  /** Hides the label from eyes, such as in a table whose heading says it. */
  bare?: boolean;
  children: (ids: {
    id: string;
    'aria-describedby'?: string;
    'aria-invalid': boolean;
  }) => ReactNode;
}

/** A field with its label, its help and what is wrong with it. */
export function FormRow({ label, help, error, bare, children }: FormRowProps): JSX.Element {
  const id = useId();
  const note = error ?? help;
  return (
    <div className={classes('pj-FormRow', error !== undefined && 'pj-mod-invalid')}>
      <label htmlFor={id} className={bare === true ? 'pj-visually-hidden' : 'pj-FormRow-label'}>
        {label}
      </label>
      {children({
        id,
        'aria-describedby': note === undefined ? undefined : `${id}-note`,
        'aria-invalid': error !== undefined
      })}
      {note !== undefined && (
        <p id={`${id}-note`} className="pj-FormRow-note">
          {note}
        </p>
      )}
    </div>
  );
}

type Shared = Omit<FormRowProps, 'children'>;
type Input = Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value' | 'id'>;

export interface TextFieldProps extends Shared, Input {
  value: string;
  onChange: (value: string) => void;
  /** Values to choose from; others can be typed. */
  suggestions?: readonly string[];
}

export function TextField(props: TextFieldProps): JSX.Element {
  const { label, help, error, bare, value, onChange, suggestions, className, ...input } = props;
  const list = useId();
  return (
    <FormRow label={label} help={help} error={error} bare={bare}>
      {ids => (
        <>
          <input
            type="text"
            autoComplete="off"
            spellCheck={false}
            list={suggestions === undefined ? undefined : list}
            {...input}
            {...ids}
            className={classes('jp-mod-styled pj-Input', className)}
            value={value}
            onChange={event => onChange(event.target.value)}
          />
          {suggestions !== undefined && (
            <datalist id={list}>
              {suggestions.map(text => (
                <option key={text} value={text} />
              ))}
            </datalist>
          )}
        </>
      )}
    </FormRow>
  );
}

export interface ListFieldProps extends Omit<TextFieldProps, 'value' | 'onChange'> {
  values: readonly string[];
  onChange: (values: string[]) => void;
}

/**
 * Several texts with commas between; one that holds a comma stands in double quotes. What is
 * typed stays as it is typed.
 */
export function ListField({ values, onChange, ...rest }: ListFieldProps): JSX.Element {
  const [text, setText] = useState(() => writeList(values));
  return (
    <TextField
      {...rest}
      value={text}
      onChange={next => {
        setText(next);
        onChange(readList(next));
      }}
    />
  );
}

export function writeList(values: readonly string[]): string {
  return values
    .map(value => (/[",]|^\s|\s$/.test(value) ? `"${value.replace(/"/g, '""')}"` : value))
    .join(', ');
}

export function readList(text: string): string[] {
  const found = text.match(/\s*"(?:[^"]|"")*"\s*|[^,]+/g) ?? [];
  return found
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part =>
      part.length > 1 && part.startsWith('"') && part.endsWith('"')
        ? part.slice(1, -1).replace(/""/g, '"')
        : part
    );
}

export interface TextAreaFieldProps extends Shared {
  value: string;
  onChange: (value: string) => void;
  rows?: number;
  placeholder?: string;
  /** The field to begin with. */
  autoFocus?: boolean;
}

export function TextAreaField(props: TextAreaFieldProps): JSX.Element {
  const { label, help, error, bare, value, onChange, rows = 3 } = props;
  return (
    <FormRow label={label} help={help} error={error} bare={bare}>
      {ids => (
        <textarea
          {...ids}
          className="jp-mod-styled pj-Input"
          rows={rows}
          placeholder={props.placeholder}
          autoFocus={props.autoFocus}
          value={value}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </FormRow>
  );
}

/**
 * A number as it is typed. The text is kept by the parent, so that `0.` and an empty field can
 * exist; read it with {@link parseNumber}.
 */
export function NumberField(props: TextFieldProps): JSX.Element {
  return (
    <TextField
      inputMode="decimal"
      {...props}
      className={classes('pj-mod-number', props.className)}
    />
  );
}

/** The number that a text says; null for an empty text, NaN for what is no number. */
export function parseNumber(text: string): number | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : Number(trimmed.replace(',', '.'));
}

export interface Option {
  value: string;
  label: string;
  disabled?: boolean;
}

export interface SelectFieldProps extends Shared {
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  disabled?: boolean;
}

export function SelectField(props: SelectFieldProps): JSX.Element {
  const { label, help, error, bare, value, options, onChange, disabled } = props;
  return (
    <FormRow label={label} help={help} error={error} bare={bare}>
      {ids => (
        <div className="pj-Select">
          <select
            {...ids}
            className="jp-mod-styled pj-Input"
            disabled={disabled}
            value={value}
            onChange={event => onChange(event.target.value)}
          >
            {options.map(option => (
              <option key={option.value} value={option.value} disabled={option.disabled}>
                {option.label}
              </option>
            ))}
          </select>
        </div>
      )}
    </FormRow>
  );
}

export function CheckField(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}): JSX.Element {
  return (
    <label className="pj-Check">
      <input
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        onChange={event => props.onChange(event.target.checked)}
      />
      <span>{props.label}</span>
    </label>
  );
}
