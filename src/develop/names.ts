import type { Trans } from '../api';
import { partsOf, TAGS, type ColumnKind } from './look';

/** What a column of the table is called. */
export function columnTitle(column: string, trans: Trans): string {
  if (column === TAGS) {
    return trans.__('Tags');
  }
  const { kind, key } = partsOf(column);
  return kind === 'attributes' ? attributeTitle(key, trans) : key;
}

export function kindTitle(kind: ColumnKind, trans: Trans): string {
  switch (kind) {
    case 'metrics':
      return trans.__('Metrics');
    case 'params':
      return trans.__('Parameters');
    case 'tags':
      return trans.__('Tags');
    case 'attributes':
      return trans.__('Attributes');
  }
}

/** What is told of a column on hover. */
export function columnHelp(column: string, trans: Trans): string {
  if (column === TAGS) {
    return trans.__('The tags that people gave');
  }
  const { kind, key } = partsOf(column);
  switch (kind) {
    case 'metrics':
      return trans.__('Metric %1: the last value', key);
    case 'params':
      return trans.__('Parameter %1', key);
    case 'tags':
      return trans.__('Tag %1', key);
    case 'attributes':
      return key === 'verdict'
        ? trans.__('Whether the numbers that Perijove measured meet the targets')
        : attributeTitle(key, trans);
  }
}

function attributeTitle(key: string, trans: Trans): string {
  switch (key) {
    case 'run_name':
      return trans.__('Run');
    case 'verdict':
      return trans.__('Target');
    case 'start_time':
      return trans.__('Started');
    case 'end_time':
      return trans.__('Ended');
    case 'duration':
      return trans.__('Took');
    case 'status':
      return trans.__('State');
    case 'notebook':
      return trans.__('Notebook');
    case 'cost':
      return trans.__('Cost');
    case 'user_id':
      return trans.__('By');
    case 'run_id':
      return trans.__('Run id');
    case 'artifact_uri':
      return trans.__('Artifacts');
    default:
      return key;
  }
}

/** A column as filter words name it; an unusual key stands in backquotes. */
export function inWords(column: string): string {
  const { kind, key } = partsOf(column);
  return /^[A-Za-z_][\w./-]*$/.test(key) ? column : `${kind}.\`${key}\``;
}
