import { describe, expect, it } from 'vitest';

import { isTable } from '../tokens';

describe('isTable', () => {
  it.each(['a.csv', 'b.PARQUET', 'c/d.jsonl', 'e.f.tsv', 'g.arrow'])('%s', path => {
    expect(isTable(path)).toBe(true);
  });
  it.each(['a.py', 'csv', 'a.csv.bak', 'b.ipynb'])('not %s', path => {
    expect(isTable(path)).toBe(false);
  });
});
