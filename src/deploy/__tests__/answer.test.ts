import { describe, expect, it } from 'vitest';

import type { Field } from '../../api';
import { columnOf, indent, messageOf, outputsOf } from '../answer';

const fields: Field[] = ['size', 'log_size', 'size_of_branch'].map(name => ({
  name,
  type: 'FP64',
  required: true
}));

describe('an answer', () => {
  it('gives each output its values, flat, with every digit', () => {
    const body =
      '{"outputs":[{"name":"label","data":[9223372036854775807]},' +
      '{"name":"probability","shape":[1,2],"data":[[0.0612345678901234567,1.2345678901234567e-20]]},' +
      '{"name":"words","data":["id 12345678901234567890"]}]}';
    expect(outputsOf(body)).toEqual([
      { name: 'label', values: ['9223372036854775807'] },
      { name: 'probability', values: ['0.06123456789012346', '1.2345678901234567e-20'] },
      { name: 'words', values: ['id 12345678901234567890'] }
    ]);
  });

  it('that is no JSON is shown as it came', () => {
    expect(outputsOf('<html>')).toEqual([]);
    expect(indent('<html>')).toBe('<html>');
    expect(messageOf('<html>')).toBe('<html>');
  });
});

describe('a refusal', () => {
  it('is its message', () => {
    expect(messageOf('{"error":"no"}')).toBe('no');
    expect(messageOf('{"code":"model_input","message":"why","hint":"h"}')).toBe('why');
  });

  it('names the column that it quotes, not one whose name is a part of it', () => {
    expect(columnOf('{"error":"Column \'log_size\' holds text"}', fields)).toBe('log_size');
    expect(columnOf('{"error":"size_of_branch is missing"}', fields)).toBe('size_of_branch');
    expect(columnOf('{"error":"size: not a number"}', fields)).toBe('size');
  });

  it('of something else names none', () => {
    expect(columnOf('{"error":"resized"}', fields)).toBeUndefined();
    expect(columnOf('{"error":"x","column":"other"}', fields)).toBeUndefined();
  });
});
