import type { FormEvent } from 'react';
import { useState } from 'react';

import type { Dataset, Rule, Trans } from '../../api';
import { Button } from '../../kit/button';
import { ListField, SelectField, TextField } from '../../kit/form';
import { useTrans } from '../../kit/services';
import { CHECKS, checkName, fieldsOf, fixesOf, freshId, takesColumns } from '../rules';

export interface RuleFormProps {
  dataset: Dataset;
  rule: Rule;
  taken: ReadonlySet<string>;
  busy: boolean;
  onSave: (rule: Rule) => void;
  onRemove?: () => void;
}

/** One rule: what must hold, of which columns, and what happens to rows where it does not. */
export function RuleForm(props: RuleFormProps): JSX.Element {
  const { dataset, taken, busy, onSave, onRemove } = props;
  const trans = useTrans();
  const [rule, setRule] = useState(props.rule);
  const set = (change: Partial<Rule>): void => setRule({ ...rule, ...change });
  const fields = fieldsOf(rule.check);
  const fixes = fixesOf(rule.check);
  const names = dataset.facts.columns.map(column => column.name);
  const unknown = rule.columns.filter(column => !names.includes(column));
  const whole =
    (!takesColumns(rule.check) || (rule.columns.length > 0 && unknown.length === 0)) &&
    fields.every(field => field === 'maximum' || field === 'minimum' || filled(rule[field])) &&
    (!fields.includes('minimum') || filled(rule.minimum) || filled(rule.maximum)) &&
    (rule.action !== 'fix' || rule.fix !== null) &&
    (rule.action !== 'fix' || rule.fix !== 'fill' || rule.fill !== null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (whole) {
      onSave({ ...rule, id: rule.id === '' ? freshId(rule, taken) : rule.id });
    }
  };
  return (
    <form className="pj-RuleForm" onSubmit={submit}>
      <SelectField
        label={trans.__('What must hold')}
        value={rule.check}
        options={CHECKS.map(value => ({ value, label: checkName(value, trans) }))}
        onChange={value => {
          const check = value as Rule['check'];
          const keep = rule.fix !== null && fixesOf(check).includes(rule.fix);
          set({
            check,
            fix: keep ? rule.fix : null,
            action: rule.action === 'fix' && !keep ? 'quarantine' : rule.action
          });
        }}
      />
      {takesColumns(rule.check) && (
        <ListField
          label={trans.__('Columns')}
          help={
            rule.check === 'unique'
              ? trans.__('Several columns are unique together')
              : trans.__('Several, with commas between')
          }
          error={
            unknown.length > 0 ? trans.__('There is no column %1.', unknown[0] ?? '') : undefined
          }
          values={rule.columns}
          suggestions={names}
          onChange={columns => set({ columns })}
        />
      )}
      {fields.includes('minimum') && (
        <div className="pj-RuleForm-pair">
          <TextField
            label={trans.__('At least')}
            value={rule.minimum ?? ''}
            onChange={text => set({ minimum: text === '' ? null : text })}
          />
          <TextField
            label={trans.__('At most')}
            value={rule.maximum ?? ''}
            onChange={text => set({ maximum: text === '' ? null : text })}
          />
        </div>
      )}
      {fields.includes('values') && (
        <ListField
          label={trans.__('Values')}
          help={trans.__('With commas between; one with a comma in double quotes')}
          values={rule.values}
          onChange={values => set({ values })}
        />
      )}
      {fields.includes('pattern') && (
        <TextField
          label={trans.__('Pattern')}
          help={trans.__('A regular expression that the whole value matches')}
          value={rule.pattern}
          onChange={pattern => set({ pattern })}
        />
      )}
      {fields.includes('type') && (
        <TextField
          label={trans.__('Type')}
          value={rule.type}
          suggestions={['BIGINT', 'DOUBLE', 'VARCHAR', 'BOOLEAN', 'DATE', 'TIMESTAMP']}
          onChange={type => set({ type })}
        />
      )}
      {fields.includes('within') && (
        <TextField
          label={trans.__('Greatest age of the newest value')}
          help={trans.__('Such as 2 days, or 6 hours')}
          value={rule.within}
          onChange={within => set({ within })}
        />
      )}
      {fields.includes('references') && (
        <TextField
          label={trans.__('Dataset and column')}
          help={trans.__('Such as builds_raw.id')}
          value={rule.references}
          onChange={references => set({ references })}
        />
      )}
      {fields.includes('expression') && (
        <TextField
          label={trans.__('What must be true of a row')}
          help={trans.__('Such as end >= start and size < 1e9')}
          value={rule.expression}
          onChange={expression => set({ expression })}
        />
      )}
      <SelectField
        label={trans.__('What happens otherwise')}
        value={rule.action}
        options={[
          { value: 'warn', label: trans.__('Warn, and keep the row') },
          { value: 'quarantine', label: trans.__('Put the row into quarantine') },
          {
            value: 'fix',
            label: trans.__('Fix the value, quarantine what stays wrong'),
            disabled: fixes.length === 0
          },
          { value: 'block', label: trans.__('Block the version') }
        ]}
        onChange={value => {
          const action = value as Rule['action'];
          set({ action, fix: action === 'fix' ? (fixes[0] ?? null) : null });
        }}
      />
      {rule.action === 'fix' && (
        <SelectField
          label={trans.__('Fix')}
          value={rule.fix ?? ''}
          options={fixes.map(value => ({ value, label: FIXES[value](trans) }))}
          onChange={value => set({ fix: value as NonNullable<Rule['fix']> })}
        />
      )}
      {rule.action === 'fix' && rule.fix === 'fill' && (
        <TextField
          label={trans.__('Fill with')}
          value={rule.fill ?? ''}
          onChange={fill => set({ fill })}
        />
      )}
      <TextField
        label={trans.__('Why')}
        help={trans.__('For whoever meets a row that failed')}
        value={rule.description}
        onChange={description => set({ description })}
      />
      <div className="pj-FilterEditor-actions">
        {onRemove !== undefined && (
          <Button look="link" onClick={onRemove}>
            {trans.__('Remove')}
          </Button>
        )}
        <Button look="accept" type="submit" busy={busy} disabled={!whole}>
          {trans.__('Save')}
        </Button>
      </div>
    </form>
  );
}

const FIXES: Record<NonNullable<Rule['fix']>, (trans: Trans) => string> = {
  cast: trans => trans.__('Cast to the type'),
  trim: trans => trans.__('Trim white space'),
  fill: trans => trans.__('Fill with a value'),
  clip: trans => trans.__('Clip to the range'),
  drop: trans => trans.__('Drop the row'),
  deduplicate: trans => trans.__('Keep the first of equal rows')
};

function filled(value: Rule[keyof Rule]): boolean {
  return Array.isArray(value) ? value.some(Boolean) : value !== null && value !== '';
}
