import type { ParamImportance, RunRow } from '../api';
import type { VegaSpec } from '../kit/vega';

/** The values of runs, as plots need them. */
export interface PlottedRuns {
  columns: readonly string[];
  rows: readonly Pick<RunRow, 'run_id' | 'name' | 'values'>[];
}

/** More lines than these hide each other. */
export const MOST_LINES = 500;
/** More words than these make no axis. */
const MOST_WORDS = 30;

const NO_PLACE = /^\s*[+-]?(nan|inf|infinity)\s*$/i;
/** From low to high; seen in both themes. */
const RANGE = ['#785ad2', '#1e96ff', '#f06900'];

type Value = number | string | null;

/** What a column says of each run: numbers where all that have a value say one. */
export function valuesOf(runs: PlottedRuns, column: string): Value[] {
  const place = runs.columns.indexOf(column);
  const values = runs.rows.map(row => {
    const value = row.values[place] ?? null;
    // What is no number, or beyond all numbers, has no place on an axis.
    return typeof value === 'string' && NO_PLACE.test(value) ? null : value;
  });
  const numbers = values.map(value => (value === null ? null : numberOf(value)));
  return numbers.some((number, index) => number === undefined && values[index] !== null)
    ? values.map(value => (value === null ? null : String(value)))
    : numbers.map(number => number ?? null);
}

/** Whether runs have more than one value there, and not as many words as no axis can bear. */
export function isPlottable(values: readonly Value[]): boolean {
  const found = new Set(values.filter(value => value !== null));
  const words = [...found].some(value => typeof value === 'string');
  return found.size > 1 && (!words || found.size <= MOST_WORDS);
}

function numberOf(value: number | string): number | undefined {
  if (typeof value === 'number') {
    return value;
  }
  const number = value.trim() === '' ? NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Whether numbers lie so far apart that only a logarithmic axis tells them. */
export function isWide(values: readonly Value[]): boolean {
  const numbers = values.filter((value): value is number => typeof value === 'number');
  return (
    numbers.length > 0 &&
    numbers.every(value => value > 0) &&
    Math.max(...numbers) / Math.min(...numbers) >= 100
  );
}

/** A dot a run. */
export function scatterSpec(
  runs: PlottedRuns,
  axes: { x: string; y: string; color: string },
  titles: (column: string) => string
): VegaSpec {
  const x = valuesOf(runs, axes.x);
  const y = valuesOf(runs, axes.y);
  const color = axes.color === '' ? null : valuesOf(runs, axes.color);
  const values = runs.rows.flatMap((row, index) =>
    x[index] === null || y[index] === null
      ? []
      : [{ run: row.name, x: x[index], y: y[index], c: color?.[index] ?? null }]
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    data: { values },
    height: 300,
    mark: { type: 'point', filled: true, size: 50, opacity: 0.75 },
    encoding: {
      x: { field: 'x', title: titles(axes.x), ...scaleOf(x) },
      y: { field: 'y', title: titles(axes.y), ...scaleOf(y) },
      ...(color !== null && {
        color: {
          field: 'c',
          title: titles(axes.color),
          ...(color.some(value => typeof value === 'string')
            ? { type: 'nominal' as const }
            : {
                type: 'quantitative' as const,
                scale: {
                  range: RANGE,
                  ...(isWide(color) && { type: 'log' as const })
                }
              })
        }
      }),
      tooltip: [
        { field: 'run', title: 'run' },
        { field: 'x', title: titles(axes.x) },
        { field: 'y', title: titles(axes.y) },
        ...(color === null ? [] : [{ field: 'c', title: titles(axes.color) }])
      ]
    }
  };
}

function scaleOf(values: readonly Value[]): {
  type: 'nominal' | 'quantitative';
  scale?: { type?: 'log'; zero?: false };
} {
  if (values.some(value => typeof value === 'string')) {
    return { type: 'nominal' };
  }
  return { type: 'quantitative', scale: isWide(values) ? { type: 'log' } : { zero: false } };
}

interface Axis {
  column: string;
  values: Value[];
  /** Where a value stands, in [0, 1]. */
  place: (value: number | string) => number;
  low: string;
  high: string;
}

/** A line a run over an axis for each column, coloured by the last one. */
export function parallelSpec(
  runs: PlottedRuns,
  columns: readonly string[],
  titles: (column: string) => string,
  format: (value: number) => string
): VegaSpec {
  const axes = columns.map(column => axisOf(column, valuesOf(runs, column), format));
  const order = axes.map(({ column }) => titles(column));
  const last = axes.at(-1);
  const values = runs.rows.slice(0, MOST_LINES).flatMap((row, index) => {
    const end = last?.values[index] ?? null;
    const place = end === null || last === undefined ? null : last.place(end);
    return axes.flatMap(axis => {
      const value = axis.values[index] ?? null;
      return value === null
        ? []
        : [
            {
              run: row.name,
              id: row.run_id,
              axis: titles(axis.column),
              at: axis.place(value),
              value: String(value),
              c: place
            }
          ];
    });
  });
  const ends = axes.flatMap(axis => [
    { axis: titles(axis.column), at: 0, text: axis.low },
    { axis: titles(axis.column), at: 1, text: axis.high }
  ]);
  const x = {
    field: 'axis',
    type: 'nominal' as const,
    sort: order,
    scale: { type: 'point' as const, padding: 0.4 }
  };
  const y = {
    field: 'at',
    type: 'quantitative' as const,
    axis: null,
    scale: { domain: [-0.08, 1.08], nice: false }
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    height: 280,
    layer: [
      {
        data: { values: order.map(axis => ({ axis, at: 0, to: 1 })) },
        mark: { type: 'rule', color: '#808080' },
        encoding: {
          x: {
            ...x,
            axis: {
              title: null,
              labelAngle: 0,
              orient: 'top',
              grid: false,
              domain: false,
              ticks: false,
              labelLimit: 110
            }
          },
          y,
          y2: { field: 'to' }
        }
      },
      {
        data: { values },
        params: [
          {
            name: 'near',
            select: {
              type: 'point',
              fields: ['id'],
              on: 'mouseover',
              clear: 'mouseout',
              nearest: false
            }
          }
        ],
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: {
          x,
          y,
          detail: { field: 'id' },
          color: {
            field: 'c',
            type: 'quantitative',
            legend: null,
            scale: { range: RANGE, domain: [0, 1] }
          },
          opacity: {
            condition: { param: 'near', empty: false, value: 1 },
            value: runs.rows.length > 60 ? 0.3 : 0.75
          },
          size: { condition: { param: 'near', empty: false, value: 3 }, value: 1.2 },
          tooltip: [
            { field: 'run', title: 'run' },
            { field: 'value', title: 'value' }
          ]
        }
      },
      {
        data: { values: ends },
        mark: { type: 'text', dy: { expr: 'datum.at === 0 ? 10 : -10' }, fontSize: 10 },
        encoding: { x, y, text: { field: 'text' } }
      }
    ]
  };
}

function axisOf(column: string, values: Value[], format: (value: number) => string): Axis {
  const there = values.filter(value => value !== null);
  const words = there.filter((value): value is string => typeof value === 'string');
  if (words.length > 0) {
    const order = [...new Set(words)].sort((a, b) =>
      a.localeCompare(b, undefined, { numeric: true })
    );
    const room = Math.max(1, order.length - 1);
    const cut = (text: string): string => (text.length > 14 ? `${text.slice(0, 13)}…` : text);
    return {
      column,
      values,
      place: value => order.indexOf(String(value)) / room,
      low: cut(order[0] ?? ''),
      high: cut(order.at(-1) ?? '')
    };
  }
  const numbers = there as number[];
  const wide = isWide(numbers);
  const scale = wide ? Math.log10 : (value: number): number => value;
  const low = numbers.length === 0 ? 0 : Math.min(...numbers);
  const high = numbers.length === 0 ? 1 : Math.max(...numbers);
  const span = scale(high) - scale(low) || 1;
  return {
    column,
    values,
    place: value => (scale(Number(value)) - scale(low)) / span,
    low: format(low),
    high: format(high)
  };
}

/** A bar a parameter. */
export function importanceSpec(
  items: readonly ParamImportance[],
  titles: { importance: string; correlation: string }
): VegaSpec {
  const shown = items.slice(0, 20);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    data: {
      values: shown.map(({ param, importance, correlation }) => ({
        param,
        importance,
        correlation
      }))
    },
    height: { step: 22 },
    mark: { type: 'bar', height: 12 },
    encoding: {
      x: {
        field: 'importance',
        type: 'quantitative',
        title: titles.importance,
        axis: { format: '%' }
      },
      y: {
        field: 'param',
        type: 'nominal',
        title: null,
        sort: shown.map(({ param }) => param),
        axis: { labelLimit: 200 }
      },
      color: {
        field: 'correlation',
        type: 'quantitative',
        title: titles.correlation,
        scale: { scheme: 'blueorange', domain: [-1, 1] }
      },
      tooltip: [
        { field: 'param' },
        { field: 'importance', format: '.1%' },
        { field: 'correlation', title: titles.correlation, format: '.2f' }
      ]
    }
  };
}
