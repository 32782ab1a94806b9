/** What a person types for a column, and what travels to the endpoint. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Field } from '../api';

type TensorType = Field['type'];

/** A column's value as it travels; an integer that a browser would round goes as its digits. */
export type Value = string | number | boolean | null;

export type Parsed =
  | { kind: 'value'; value: Value }
  /** Nothing was typed, and nothing need be. */
  | { kind: 'absent' }
  | { kind: 'problem'; problem: string };

/** How a type is called beside its field. */
export function typeWord(type: TensorType): string {
  switch (type) {
    case 'BOOL':
      return 'bool';
    case 'BYTES':
      return 'text';
    case 'FP32':
      return 'float32';
    case 'FP64':
      return 'float64';
    default:
      return type.toLowerCase();
  }
}

/** The least and the greatest integer of a type; null for a type that holds none. */
function integerRange(type: TensorType): [bigint, bigint] | null {
  const match = /^(U?)INT(\d+)$/.exec(type);
  if (match === null) {
    return null;
  }
  const bits = BigInt(match[2]!);
  return match[1] === 'U'
    ? [0n, (1n << bits) - 1n]
    : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WORDS: Record<string, string> = {
  nan: 'NaN',
  inf: 'Infinity',
  infinity: 'Infinity',
  '-inf': '-Infinity',
  '-infinity': '-Infinity'
};

/** What an empty field says: nothing, an empty text, a missing float; undefined when it may not be. */
function emptyValue(field: Field, text: string): Parsed | undefined {
  if (!field.required) {
    return { kind: 'absent' };
  }
  if (field.type === 'BYTES') {
    return { kind: 'value', value: text };
  }
  return field.type.startsWith('FP') ? { kind: 'value', value: null } : undefined;
}

/** Read what was typed for a column. */
export function parseValue(field: Field, text: string, trans: TranslationBundle): Parsed {
  const value = (value: Value): Parsed => ({ kind: 'value', value });
  const problem = (problem: string): Parsed => ({ kind: 'problem', problem });
  const typed = text.trim();
  if (typed === '') {
    return emptyValue(field, text) ?? problem(trans.__('A value is needed.'));
  }
  if (field.type === 'BYTES') {
    return value(text);
  }
  if (field.type === 'BOOL') {
    const word = typed.toLowerCase();
    return word === 'true' || word === 'false'
      ? value(word === 'true')
      : problem(trans.__('Write true or false.'));
  }
  const range = integerRange(field.type);
  if (range === null) {
    const word = WORDS[typed.toLowerCase()];
    if (word !== undefined) {
      return value(word);
    }
    const number = FLOAT.test(typed) ? Number(typed) : NaN;
    return Number.isFinite(number) ? value(number) : problem(trans.__('Write a number.'));
  }
  if (!/^[+-]?\d+$/.test(typed)) {
    return problem(trans.__('Write a whole number.'));
  }
  const integer = BigInt(typed.replace(/^\+/, ''));
  if (integer < range[0] || integer > range[1]) {
    return problem(trans.__('%1 holds %2 to %3.', typeWord(field.type), range[0], range[1]));
  }
  const number = Number(integer);
  return value(Number.isSafeInteger(number) ? number : integer.toString());
}

/** A value of the sample row as a person would type it. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return value == null ? '' : JSON.stringify(value);
  }
}

export interface Row {
  values: Record<string, Value>;
  /** By column. */
  problems: Record<string, string>;
}

/** Read the whole form. */
export function parseRow(
  fields: readonly Field[],
  texts: Readonly<Record<string, string>>,
  trans: TranslationBundle
): Row {
  const row: Row = { values: {}, problems: {} };
  for (const field of fields) {
    const parsed = parseValue(field, texts[field.name] ?? '', trans);
    if (parsed.kind === 'value') {
      row.values[field.name] = parsed.value;
    } else if (parsed.kind === 'problem') {
      row.problems[field.name] = parsed.problem;
    }
  }
  return row;
}
