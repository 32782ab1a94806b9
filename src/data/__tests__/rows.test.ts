import {
  bool,
  columnFromArray,
  dateDay,
  decimal,
  float64,
  int64,
  tableFromColumns,
  tableToIPC,
  timestamp,
  TimeUnit,
  utf8
} from '@uwdata/flechette';
import { describe, expect, it } from 'vitest';

import { cellText, LOADING } from '../rows/cells';
import { ArrowPage, BLOCK_COLUMNS, RowsModel, type IShown } from '../rows/model';
import { isNumeric } from '../types';

const NAMES = ['id', 'score', 'word', 'day', 'at', 'ok', 'price'];

function page(): Uint8Array {
  const table = tableFromColumns({
    id: columnFromArray([9007199254740993n, null, -1n, 0n], int64()),
    score: columnFromArray([0.1234567891, Number.NaN, Infinity, null], float64()),
    word: columnFromArray(['<b>\n"x"', '', null, 'plain'], utf8()),
    day: columnFromArray([new Date('2024-02-29'), null, null, null], dateDay()),
    at: columnFromArray(
      [Date.parse('2024-02-29T10:00:00Z'), Date.parse('2024-02-29T10:00:00.250Z'), null, null],
      timestamp(TimeUnit.MILLISECOND)
    ),
    ok: columnFromArray([true, false, null, true], bool()),
    price: columnFromArray([12.5, -0.05, null, 100], decimal(10, 2))
  });
  return tableToIPC(table, { format: 'stream' })!;
}

function columnsOf(names: string[]): IShown[] {
  return names.map((name, position) => ({
    column: { name, type: 'VARCHAR', known: 'before', nulls: 0 },
    position
  }));
}

describe('a page of Arrow rows', () => {
  const rows = new ArrowPage(page(), NAMES.length);
  const shown = (row: number, name: string): string => {
    const column = NAMES.indexOf(name);
    return cellText(rows.value(row, column), rows.writers[column]!).text;
  };

  it('keeps 64-bit integers whole', () => {
    expect(shown(0, 'id')).toBe('9007199254740993');
    expect(shown(2, 'id')).toBe('-1');
  });

  it('tells null, an empty text and not-a-number from each other', () => {
    expect(shown(1, 'id')).toBe('null');
    expect(shown(1, 'word')).toBe('empty');
    expect(shown(1, 'score')).toBe('NaN');
    expect(shown(2, 'score')).toBe('∞');
  });

  it('writes times in ISO 8601, in full only where there is a fraction', () => {
    expect(shown(0, 'day')).toBe('2024-02-29');
    expect(shown(0, 'at')).toBe('2024-02-29 10:00:00');
    expect(shown(1, 'at')).toBe('2024-02-29 10:00:00.250');
  });

  it('writes decimals by their digits', () => {
    expect(shown(0, 'price')).toBe('12.50');
    expect(shown(1, 'price')).toBe('-0.05');
  });

  it('paints six digits of a long float and copies them all', () => {
    expect(shown(0, 'score')).toBe('0.123457');
    expect(rows.writers[1]!(rows.value(0, 1))).toBe('0.1234567891');
  });

  it('paints line breaks as signs, on one line', () => {
    expect(shown(0, 'word')).toBe('<b> ↵ "x"');
  });

  it('paints a cell that has not arrived as such', () => {
    expect(cellText(LOADING, String)).toEqual({ text: '…', quiet: true });
  });
});

describe('the grid model', () => {
  function modelOf(rows: number): { model: RowsModel; asked: [number, number][] } {
    const asked: [number, number][] = [];
    const model = new RowsModel({
      rows,
      shown: columnsOf(NAMES),
      load: (offset, limit) => {
        asked.push([offset, limit]);
        return Promise.resolve(page());
      },
      failed: () => {}
    });
    return { model, asked };
  }

  it('has all rows at once, and says which cells came', async () => {
    const { model, asked } = modelOf(100_000_000);
    const changes: unknown[] = [];
    model.changed.connect((_, change) => changes.push(change));
    expect(model.rowCount('body')).toBe(100_000_000);
    expect(model.data('body', 51_200, 0)).toBe(LOADING);
    await new Promise(resolve => setTimeout(resolve));
    expect(asked).toEqual([[51_200, 512]]);
    expect(model.data('body', 51_200, 0)).toBe(9007199254740993n);
    expect(changes).toEqual([
      {
        type: 'cells-changed',
        region: 'body',
        row: 51_200,
        column: 0,
        rowSpan: 512,
        columnSpan: NAMES.length
      }
    ]);
  });

  it('asks only for the columns in view of a wide table', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
    const asked: (readonly number[])[] = [];
    const model = new RowsModel({
      rows: 1000,
      shown: columnsOf(names),
      load: (_offset, _limit, positions) => {
        asked.push(positions);
        return Promise.reject(new Error('not looked at'));
      },
      failed: () => {}
    });
    expect(model.data('body', 0, 5000)).toBe(LOADING);
    await new Promise(resolve => setTimeout(resolve));
    expect(asked).toEqual([Array.from({ length: BLOCK_COLUMNS }, (_, i) => 4992 + i)]);
  });

  it('has more rows when a view is whole, and asks again for the chunk that was cut', async () => {
    const { model, asked } = modelOf(600);
    model.data('body', 599, 0);
    await new Promise(resolve => setTimeout(resolve));
    model.rows = 2000;
    expect(model.rowCount('body')).toBe(2000);
    expect(model.data('body', 599, 0)).toBe(LOADING);
    await new Promise(resolve => setTimeout(resolve));
    expect(asked).toEqual([
      [512, 512],
      [512, 512]
    ]);
  });

  it('copies a rectangle with its header, quoted where it must be', async () => {
    const { model } = modelOf(4);
    expect(await model.text(0, 0, 1, 2)).toBe(
      'id\tscore\tword\n9007199254740993\t0.1234567891\t"<b>\n""x"""\n\tNaN\t'
    );
    expect(await model.text(0, 0, 0, 0)).toBe('9007199254740993');
  });
});

describe('isNumeric', () => {
  it.each(['BIGINT', 'DOUBLE', 'DECIMAL(10,2)', 'UINTEGER', 'INTEGER', 'TINYINT'])('%s', type => {
    expect(isNumeric(type)).toBe(true);
  });
  it.each(['VARCHAR', 'BOOLEAN', 'TIMESTAMP', 'INTERVAL', 'DOUBLE[]'])('not %s', type => {
    expect(isNumeric(type)).toBe(false);
  });
});
