import type { Request, RunColumn } from '../api';
import { filterOfAll, type Condition, type SortKey } from '../kit/conditions';
import type { Ask } from './lines';

/** How somebody looks at the runs. It is kept with the page. */
export type RunsLook = {
  search: string;
  conditions: KeptCondition[];
  /** Whether one condition is enough. */
  any: boolean;
  sort: SortKept[];
  /** What was shown or hidden by hand; the rest is shown where it tells runs apart. */
  shown: Record<string, boolean>;
  widths: Record<string, number>;
  /** The column whose values runs are put together by. */
  group: string;
  deleted: boolean;
};

// As types and not interfaces: only so are they JSON to the compiler.
type KeptCondition = { column: string; operator: Condition['operator']; values: string[] };
type SortKept = { column: string; descending: boolean };

export const PLAIN_LOOK: RunsLook = {
  search: '',
  conditions: [],
  any: false,
  sort: [],
  shown: {},
  widths: {},
  group: '',
  deleted: false
};

/** All tags of people in one column, as chips. */
export const TAGS = 'tags';
/** What every run has stands first. */
export const LEADING: readonly string[] = [
  'attributes.verdict',
  'attributes.start_time',
  'attributes.duration'
];

/** So many columns of a kind are shown before somebody chooses. */
const SHOWN = 5;
/** So many tags are put into the one column. */
const MOST_TAGS = 30;

export type ColumnKind = 'metrics' | 'params' | 'tags' | 'attributes';

/** `metrics.val/loss` as its kind and its key. */
export function partsOf(column: string): { kind: ColumnKind; key: string } {
  const dot = column.indexOf('.');
  return { kind: column.slice(0, dot) as ColumnKind, key: column.slice(dot + 1) };
}

/** A tag that a person gave, and not MLflow or Perijove. */
export function isOwnTag(column: string): boolean {
  return /^tags\.(?!mlflow\.|perijove\.)/.test(column);
}

export function isSystem(key: string): boolean {
  return key.startsWith('system/');
}

/** The columns that are shown unless somebody has said otherwise. */
export function defaultColumns(columns: readonly RunColumn[]): ReadonlySet<string> {
  const names = new Set(columns.map(({ column }) => column));
  const some = (kind: ColumnKind): string[] =>
    columns
      .filter(({ column, telling }) => {
        const parts = partsOf(column);
        return telling && parts.kind === kind && !isSystem(parts.key);
      })
      .slice(0, SHOWN)
      .map(({ column }) => column);
  return new Set([
    ...LEADING.filter(column => names.has(column)),
    ...some('metrics'),
    ...some('params'),
    ...(columns.some(({ column }) => isOwnTag(column)) ? [TAGS] : [])
  ]);
}

/**
 * The columns that are shown by themselves, after another answer: a kind that has some keeps them,
 * so that no column goes or comes while somebody looks.
 */
export function steadyDefaults(
  before: ReadonlySet<string>,
  columns: readonly RunColumn[]
): ReadonlySet<string> {
  const kinds = new Set([...before].map(kindOf));
  const next = [...defaultColumns(columns)].filter(column => !kinds.has(kindOf(column)));
  return next.length === 0 ? before : new Set([...before, ...next]);
}

function kindOf(column: string): string {
  return column === TAGS ? TAGS : partsOf(column).kind;
}

/** The columns that are shown, in their order: what leads, metrics, parameters, tags, the rest. */
export function shownColumns(
  columns: readonly RunColumn[],
  defaults: ReadonlySet<string>,
  look: RunsLook
): string[] {
  const isShown = (column: string): boolean => look.shown[column] ?? defaults.has(column);
  const names = columns.map(({ column }) => column);
  const of = (kind: ColumnKind): string[] =>
    names.filter(column => partsOf(column).kind === kind && isShown(column));
  const tags = names.some(isOwnTag) && isShown(TAGS) ? [TAGS] : [];
  return [
    ...LEADING.filter(column => names.includes(column) && isShown(column)),
    ...of('metrics'),
    ...of('params'),
    ...tags,
    ...of('tags'),
    ...of('attributes').filter(
      column => !LEADING.includes(column) && column !== 'attributes.run_name'
    )
  ];
}

/** The columns whose values have to be asked for, so that these can be shown. */
export function askedColumns(shown: readonly string[], columns: readonly RunColumn[]): string[] {
  const tags = columns
    .map(({ column }) => column)
    .filter(isOwnTag)
    .slice(0, MOST_TAGS);
  return [...new Set(shown.flatMap(column => (column === TAGS ? tags : [column])))];
}

/** The look as it is asked of the server. */
export function askOf(look: RunsLook, columns: readonly string[]): Ask {
  return {
    search: look.search,
    filter: filterOfAll(look.conditions, look.any),
    sort: look.sort.map(key => ({ ...key })),
    columns: [...columns],
    group_by: look.group,
    view: look.deleted ? 'deleted' : 'active'
  };
}

/** The same runs, whatever is shown of them: for an export, or to choose all. */
export function matching(look: RunsLook): Request<'RunsRequest'> {
  return { ...askOf(look, []), group_by: '' };
}

/** After a click on a heading: the side that is looked for first, the other, none. */
export function nextSort(
  sort: readonly SortKey[],
  column: string,
  add: boolean,
  bestLast: boolean
): SortKept[] {
  const key = sort.find(other => other.column === column);
  const next: SortKept[] =
    key === undefined
      ? [{ column, descending: bestLast }]
      : key.descending === bestLast
        ? [{ column, descending: !bestLast }]
        : [];
  if (!add) {
    return next;
  }
  const kept = sort.map(({ column: name, descending }) => ({ column: name, descending }));
  return key === undefined
    ? [...kept, ...next]
    : kept.flatMap(other => (other.column === column ? next : [other]));
}

/** Read what an older version may have kept. */
export function readLook(kept: unknown): RunsLook | undefined {
  if (!isRecord(kept)) {
    return undefined;
  }
  const { search, conditions, any, sort, shown, widths, group, deleted } = kept;
  return {
    search: typeof search === 'string' ? search : '',
    conditions: list(conditions, isCondition),
    any: any === true,
    sort: list(sort, isSort),
    shown: record(shown, isBoolean),
    widths: record(widths, isNumber),
    group: typeof group === 'string' ? group : '',
    deleted: deleted === true
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function list<T>(value: unknown, is: (item: unknown) => item is T): T[] {
  return Array.isArray(value) ? value.filter(is) : [];
}

function record<T>(value: unknown, is: (item: unknown) => item is T): Record<string, T> {
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, T] => is(entry[1]))
      )
    : {};
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isSort(value: unknown): value is SortKept {
  return isRecord(value) && isText(value['column']) && isBoolean(value['descending']);
}

function isCondition(value: unknown): value is KeptCondition {
  return (
    isRecord(value) &&
    isText(value['column']) &&
    isText(value['operator']) &&
    Array.isArray(value['values']) &&
    value['values'].every(isText)
  );
}
