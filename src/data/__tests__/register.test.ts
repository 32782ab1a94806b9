import { describe, expect, it } from 'vitest';

import { homeOf } from '../home';
import { isTable } from '../tokens';

describe('the project of a file', () => {
  it('is the innermost one that it lies in', () => {
    expect(homeOf('a/b/data.csv', 'c', ['c', 'a', 'a/b', 'a/bc'])).toBe('a/b');
  });

  it("is the server's root where that is a project", () => {
    expect(homeOf('data.csv', 'c', ['', 'c'])).toBe('');
  });

  it('is the current one when the file lies in none', () => {
    expect(homeOf('elsewhere/data.csv', 'c', ['c'])).toBe('c');
    expect(homeOf('elsewhere/data.csv', null, [])).toBeNull();
  });
});

describe('isTable', () => {
  it.each(['a.csv', 'b.PARQUET', 'c/d.jsonl', 'e.f.tsv', 'g.arrow'])('%s', path => {
    expect(isTable(path)).toBe(true);
  });
  it.each(['a.py', 'csv', 'a.csv.bak', 'b.ipynb'])('not %s', path => {
    expect(isTable(path)).toBe(false);
  });
});
