import type { QualityHistory, Rule, RuleResult, Trans } from '../api';

export type Check = Rule['check'];

export const CHECKS: readonly Check[] = [
  'not_null',
  'unique',
  'range',
  'set',
  'regex',
  'type',
  'row_count',
  'freshness',
  'foreign_key',
  'expression'
];

/** What a check is called. */
export function checkName(check: Check, trans: Trans): string {
  switch (check) {
    case 'not_null':
      return trans.__('Not missing');
    case 'unique':
      return trans.__('Unique');
    case 'range':
      return trans.__('In a range');
    case 'set':
      return trans.__('One of');
    case 'regex':
      return trans.__('Matches a pattern');
    case 'type':
      return trans.__('Of a type');
    case 'row_count':
      return trans.__('Number of rows');
    case 'freshness':
      return trans.__('Fresh');
    case 'foreign_key':
      return trans.__('Is in another dataset');
    case 'expression':
      return trans.__('True of the row');
  }
}

/** The fields that a check takes, besides its columns. */
export function fieldsOf(check: Check): readonly (keyof Rule)[] {
  switch (check) {
    case 'not_null':
    case 'unique':
      return [];
    case 'range':
    case 'row_count':
      return ['minimum', 'maximum'];
    case 'set':
      return ['values'];
    case 'regex':
      return ['pattern'];
    case 'type':
      return ['type'];
    case 'freshness':
      return ['within'];
    case 'foreign_key':
      return ['references'];
    case 'expression':
      return ['expression'];
  }
}

/** Whether a check is about columns; the others are about the whole table or row. */
export function takesColumns(check: Check): boolean {
  return check !== 'row_count' && check !== 'expression';
}

/** The fixes that can mend what a check finds. */
export function fixesOf(check: Check): readonly NonNullable<Rule['fix']>[] {
  switch (check) {
    case 'not_null':
      return ['fill', 'drop'];
    case 'unique':
      return ['deduplicate', 'drop'];
    case 'range':
      return ['clip', 'fill', 'drop'];
    case 'set':
    case 'regex':
      return ['trim', 'fill', 'drop'];
    case 'type':
      return ['cast', 'trim', 'drop'];
    case 'foreign_key':
    case 'expression':
      return ['drop'];
    case 'row_count':
    case 'freshness':
      return [];
  }
}

/** A rule as a sentence. */
export function ruleInWords(rule: Rule, trans: Trans): string {
  const columns = rule.columns.join(', ');
  switch (rule.check) {
    case 'not_null':
      return trans.__('%1 is not missing', columns);
    case 'unique':
      return trans.__('%1 is unique', columns);
    case 'range':
      return rule.minimum === null
        ? `${columns} ≤ ${rule.maximum ?? ''}`
        : rule.maximum === null
          ? `${columns} ≥ ${rule.minimum}`
          : `${rule.minimum} ≤ ${columns} ≤ ${rule.maximum}`;
    case 'set':
      return trans.__('%1 is one of %2', columns, rule.values.join(', '));
    case 'regex':
      return trans.__('%1 matches %2', columns, rule.pattern);
    case 'type':
      return trans.__('%1 is of type %2', columns, rule.type);
    case 'row_count':
      return rule.maximum === null
        ? trans.__('at least %1 rows', rule.minimum ?? '0')
        : trans.__('%1 to %2 rows', rule.minimum ?? '0', rule.maximum);
    case 'freshness':
      return trans.__('the newest %1 is at most %2 old', columns, rule.within);
    case 'foreign_key':
      return trans.__('%1 is in %2', columns, rule.references);
    case 'expression':
      return rule.expression;
  }
}

/** What happens to rows that fail. */
export function actionInWords(rule: Rule, trans: Trans): string {
  switch (rule.action) {
    case 'warn':
      return trans.__('warn');
    case 'quarantine':
      return trans.__('quarantine');
    case 'block':
      return trans.__('block');
    case 'fix':
      return rule.fix === null ? trans.__('fix') : trans.__('fix: %1', rule.fix);
  }
}

/** A rule's results, oldest first, to see a trend. */
export function trendOf(history: QualityHistory | undefined, id: string): number[] {
  return (history?.items ?? [])
    .map(item => item.facts.results.find(result => result.rule.id === id)?.failed)
    .filter((failed): failed is number => failed !== undefined)
    .reverse();
}

/** A rule's newest result. */
export function newest(history: QualityHistory | undefined, id: string): RuleResult | undefined {
  return history?.items[0]?.facts.results.find(result => result.rule.id === id);
}

/** A name for a new rule that no other one has. */
export function freshId(rule: Rule, taken: ReadonlySet<string>): string {
  const stem = [rule.columns[0] ?? 'table', rule.check].join('_').replace(/[^A-Za-z0-9_]+/g, '_');
  for (let number = 1; ; number++) {
    const id = number === 1 ? stem : `${stem}_${number}`;
    if (!taken.has(id)) {
      return id;
    }
  }
}

export const NEW_RULE: Rule = {
  id: '',
  check: 'not_null',
  columns: [],
  action: 'warn',
  fix: null,
  minimum: null,
  maximum: null,
  values: [],
  pattern: '',
  type: '',
  within: '',
  references: '',
  expression: '',
  fill: null,
  description: ''
};
