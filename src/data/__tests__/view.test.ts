import { describe as suite, expect, it } from 'vitest';

import { english } from '../../api/english';
import { arity, describe, filterOf, operatorsOf, sortedBy } from '../../kit/conditions';
import { kindOf, PLAIN, specOf, writePositions } from '../view';

suite('the kind of a type', () => {
  it.each([
    ['BIGINT', 'number'],
    ['DECIMAL(10,2)', 'number'],
    ['BOOLEAN', 'truth'],
    ['TIMESTAMP WITH TIME ZONE', 'time'],
    ['DATE', 'time'],
    ['VARCHAR', 'text'],
    ["ENUM('a', 'b')", 'text'],
    ['VARCHAR[]', 'other'],
    ['TIMESTAMP[]', 'other'],
    ['STRUCT(a INTEGER)', 'other'],
    ['BLOB', 'other']
  ])('%s is %s', (type, kind) => {
    expect(kindOf(type)).toBe(kind);
  });
});

suite('a condition', () => {
  it('is told as the tree that the server takes', () => {
    expect(filterOf({ column: 'size', operator: 'between', values: ['1', '9'] })).toEqual({
      type: 'all',
      of: [
        { type: 'compare', column: 'size', op: '>=', value: '1' },
        { type: 'compare', column: 'size', op: '<=', value: '9' }
      ]
    });
    expect(filterOf({ column: 'a', operator: 'present', values: [] })).toEqual({
      type: 'not',
      of: { type: 'missing', column: 'a' }
    });
    expect(filterOf({ column: 'a', operator: 'one_of', values: ['x', 'y'] })).toEqual({
      type: 'one_of',
      column: 'a',
      values: ['x', 'y']
    });
  });

  it('can be made with every operator of every kind, and is said in words', () => {
    for (const kind of ['number', 'text', 'time', 'truth', 'other'] as const) {
      for (const operator of operatorsOf(kind)) {
        const takes = arity(operator);
        const values = takes === 'many' ? ['1', '2', '3'] : ['1', '2'].slice(0, takes);
        const condition = { column: 'size', operator, values };
        expect(filterOf(condition).type).toMatch(/^(compare|one_of|missing|not|all)$/);
        expect(describe(condition, english)).toContain('size');
      }
    }
  });
});

suite('a sort', () => {
  it('goes up, down and away with clicks on a header', () => {
    const up = sortedBy([], 'a', false);
    const down = sortedBy(up, 'a', false);
    expect(up).toEqual([{ column: 'a', descending: false }]);
    expect(down).toEqual([{ column: 'a', descending: true }]);
    expect(sortedBy(down, 'a', false)).toEqual([]);
  });

  it('keeps the other keys and their order with Shift', () => {
    const two = sortedBy(sortedBy([], 'a', false), 'b', true);
    expect(two.map(key => key.column)).toEqual(['a', 'b']);
    expect(sortedBy(two, 'a', true)[0]).toEqual({ column: 'a', descending: true });
    expect(sortedBy(sortedBy(two, 'a', true), 'a', true).map(key => key.column)).toEqual(['b']);
  });
});

suite('a view', () => {
  const columns = ['a', 'b', 'c'].map(name => ({
    name,
    type: 'BIGINT',
    known: 'before' as const,
    nulls: 0
  }));

  it('asks for nothing while it is plain', () => {
    expect(specOf(PLAIN, 3, columns)).toEqual({ version: 3, filter: null, sort: [], columns: [] });
  });

  it('joins conditions, and names the columns that are left', () => {
    const spec = specOf(
      {
        conditions: [
          { column: 'a', operator: '>', values: ['1'] },
          { column: 'b', operator: 'missing', values: [] }
        ],
        any: true,
        sort: [{ column: 'c', descending: true }],
        hidden: ['b']
      },
      1,
      columns
    );
    expect(spec.filter).toMatchObject({ type: 'any', of: [{ column: 'a' }, { column: 'b' }] });
    expect(spec.columns).toEqual(['a', 'c']);
  });

  it('writes positions as ranges', () => {
    expect(writePositions([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
    expect(writePositions([])).toBe('');
  });
});
