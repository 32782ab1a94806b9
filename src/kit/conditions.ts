import type { ColumnProfile, Filter, Trans } from '../api';

/** What kind of values a column has. */
export type ColumnKind = ColumnProfile['kind'];

/** What a column's values can be asked. */
export type Operator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'between'
  | 'contains'
  | 'lacks'
  | 'starts_with'
  | 'ends_with'
  | 'matches'
  | 'one_of'
  | 'missing'
  | 'present';

/** One condition of a view: a chip above the grid. */
export interface Condition {
  column: string;
  operator: Operator;
  /** As typed; two for `between`, any number for `one_of`, none for `missing`. */
  values: readonly string[];
}

export interface SortKey {
  column: string;
  descending: boolean;
}

const ORDERED: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>=', 'between', 'one_of'];
const EITHER: readonly Operator[] = ['missing', 'present'];

/** The operators that make sense for a kind, the most usual first. */
export function operatorsOf(kind: ColumnKind): readonly Operator[] {
  switch (kind) {
    case 'number':
    case 'time':
      return [...ORDERED, ...EITHER];
    case 'text':
      return [
        'contains',
        'lacks',
        '=',
        '!=',
        'one_of',
        'starts_with',
        'ends_with',
        'matches',
        ...EITHER
      ];
    case 'truth':
      return ['=', ...EITHER];
    case 'other':
      return EITHER;
  }
}

/** How many values an operator takes: none, one, two, or any number. */
export function arity(operator: Operator): 0 | 1 | 2 | 'many' {
  switch (operator) {
    case 'missing':
    case 'present':
      return 0;
    case 'between':
      return 2;
    case 'one_of':
      return 'many';
    default:
      return 1;
  }
}

/** The condition as the server's filter tree says it. */
export function filterOf({ column, operator, values }: Condition): Filter {
  const [first = '', second = ''] = values;
  switch (operator) {
    case 'missing':
      return { type: 'missing', column };
    case 'present':
      return { type: 'not', of: { type: 'missing', column } };
    case 'lacks':
      return { type: 'not', of: { type: 'compare', column, op: 'contains', value: first } };
    case 'between':
      return {
        type: 'all',
        of: [
          { type: 'compare', column, op: '>=', value: first },
          { type: 'compare', column, op: '<=', value: second }
        ]
      };
    case 'one_of':
      return { type: 'one_of', column, values: [...values] };
    default:
      return { type: 'compare', column, op: operator, value: first };
  }
}

/** Several conditions as one filter; null where there is none. */
export function filterOfAll(conditions: readonly Condition[], any: boolean): Filter | null {
  const of = conditions.map(filterOf);
  const [only] = of;
  return only === undefined ? null : of.length === 1 ? only : { type: any ? 'any' : 'all', of };
}

/**
 * The sort after a click on a column's header: ascending, descending, then none.
 *
 * @param add - Keep the other keys, as a click with Shift does.
 */
export function sortedBy(sort: readonly SortKey[], column: string, add: boolean): SortKey[] {
  const key = sort.find(other => other.column === column);
  const next: SortKey[] =
    key === undefined
      ? [{ column, descending: false }]
      : key.descending
        ? []
        : [{ column, descending: true }];
  if (!add) {
    return next;
  }
  return key === undefined
    ? [...sort, ...next]
    : sort.flatMap(other => (other.column === column ? next : [other]));
}

/** What an operator is called in a list. */
export function operatorName(operator: Operator, trans: Trans): string {
  switch (operator) {
    case '=':
      return trans.__('is');
    case '!=':
      return trans.__('is not');
    case '<':
    case '>':
      return operator;
    case '<=':
      return '≤';
    case '>=':
      return '≥';
    case 'between':
      return trans.__('is between');
    case 'contains':
      return trans.__('contains');
    case 'lacks':
      return trans.__('does not contain');
    case 'starts_with':
      return trans.__('starts with');
    case 'ends_with':
      return trans.__('ends with');
    case 'matches':
      return trans.__('matches the pattern');
    case 'one_of':
      return trans.__('is one of');
    case 'missing':
      return trans.__('is missing');
    case 'present':
      return trans.__('is not missing');
  }
}

/** A condition in words, as its chip says it; `called` is the column's name for people. */
export function describe(condition: Condition, trans: Trans, called?: string): string {
  const { operator, values } = condition;
  const column = called ?? condition.column;
  const [first = '', second = ''] = values;
  const name = operatorName(operator, trans);
  switch (arity(operator)) {
    case 0:
      return `${column} ${name}`;
    case 2:
      return trans.__('%1 ≤ %2 ≤ %3', first, column, second);
    case 'many':
      return `${column} ${name} ${values.join(', ')}`;
    default:
      return `${column} ${operator === '=' ? '=' : operator === '!=' ? '≠' : name} ${first === '' ? '“”' : first}`;
  }
}
