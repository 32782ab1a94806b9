import { describe, expect, it } from 'vitest';

import type { Field } from '../../api';
import { english } from '../../api/english';
import { parseRow, parseValue, textOf } from '../values';

const trans = english;

function parse(type: Field['type'], text: string, required = true): unknown {
  const parsed = parseValue({ name: 'x', type, required }, text, trans);
  return parsed.kind === 'value' ? parsed.value : parsed;
}

describe('integers', () => {
  it('are numbers while a browser holds them exactly', () => {
    expect(parse('INT64', '42')).toBe(42);
    expect(parse('INT64', ' +7 ')).toBe(7);
    expect(parse('INT64', '-9007199254740991')).toBe(-9007199254740991);
  });

  it('are their digits where a browser would round', () => {
    expect(parse('INT64', '9223372036854775807')).toBe('9223372036854775807');
    expect(parse('UINT64', '18446744073709551615')).toBe('18446744073709551615');
  });

  it.each([
    ['INT8', '128', '-128 to 127'],
    ['UINT8', '-1', '0 to 255'],
    ['INT32', '2147483648', '-2147483648 to 2147483647'],
    ['INT64', '9223372036854775808', 'to 9223372036854775807']
  ] as const)('out of %s are refused with what it holds', (type, text, range) => {
    expect(parse(type, text)).toMatchObject({ problem: expect.stringContaining(range) as string });
  });

  it.each(['1.5', '1e3', 'four', '0x10'])('are not %s', text => {
    expect(parse('INT64', text)).toMatchObject({ kind: 'problem' });
  });
});

describe('floats', () => {
  it.each([
    ['1.5', 1.5],
    ['.5', 0.5],
    ['-1e-3', -0.001],
    ['nan', 'NaN'],
    ['-Infinity', '-Infinity']
  ])('reads %s', (text, value) => {
    expect(parse('FP64', text)).toBe(value);
  });

  it.each(['1,5', '1e999', 'many', '0x1F'])('refuses %s', text => {
    expect(parse('FP64', text)).toMatchObject({ kind: 'problem' });
  });
});

describe('words and truth', () => {
  it('keeps text as it is typed, spaces and emptiness too', () => {
    expect(parse('BYTES', ' main ')).toBe(' main ');
    expect(parse('BYTES', '')).toBe('');
  });

  it('reads true and false and nothing else', () => {
    expect(parse('BOOL', 'True')).toBe(true);
    expect(parse('BOOL', 'false')).toBe(false);
    expect(parse('BOOL', '1')).toMatchObject({ kind: 'problem' });
  });
});

describe('a row', () => {
  const fields: Field[] = [
    { name: 'size', type: 'INT64', required: true },
    { name: 'branch', type: 'BYTES', required: false },
    { name: 'ratio', type: 'FP64', required: true }
  ];

  it('names every column that is wrong, and leaves out what is absent', () => {
    expect(parseRow(fields, { size: '3', ratio: 'x' }, trans)).toEqual({
      values: { size: 3 },
      problems: { ratio: 'Write a number.' }
    });
    expect(parseRow(fields, {}, trans)).toEqual({
      values: { ratio: null },
      problems: { size: 'A value is needed.' }
    });
  });

  it('reads the sample row back as it was', () => {
    const sample = { size: 12, branch: 'main', ratio: 0.1 + 0.2 };
    const texts = Object.fromEntries(
      Object.entries(sample).map(([name, value]) => [name, textOf(value)])
    );
    expect(parseRow(fields, texts, trans)).toEqual({ values: sample, problems: {} });
  });

  it('shows a missing sample value as nothing', () => {
    expect(textOf(null)).toBe('');
    expect(textOf(undefined)).toBe('');
    expect(textOf(false)).toBe('false');
  });
});
