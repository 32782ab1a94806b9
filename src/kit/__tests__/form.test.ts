import { describe, expect, it } from 'vitest';

import { readList, writeList } from '../form';

describe('several values in one field', () => {
  it.each([
    [['a', 'b']],
    [['New York', 'Paris']],
    [['a, b', 'c']],
    [['say "x"', ' lead', 'trail ']],
    [[]]
  ])('%j is read as it was written', values => {
    expect(readList(writeList(values))).toEqual(values);
  });

  it('takes what people type', () => {
    expect(readList('a,b , c,')).toEqual(['a', 'b', 'c']);
    expect(readList('"a, b",c')).toEqual(['a, b', 'c']);
    expect(readList('"')).toEqual(['"']);
  });
});
