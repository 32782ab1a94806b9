import type { ColumnProfile, Correlation, Histogram, Profile, Trans } from '../api';
import { count, figure, toNumber } from '../kit/format';

/** What each bin of a histogram stands for, with its count. */
export function binLabels(histogram: Histogram, kind: ColumnProfile['kind']): string[] {
  return histogram.counts.map((value, index) => {
    const word = histogram.labels[index];
    if (word !== undefined) {
      return `${word}: ${count(value)}`;
    }
    const from = edge(histogram.edges[index], kind);
    const to = edge(histogram.edges[index + 1], kind);
    return `${from} – ${to}: ${count(value)}`;
  });
}

/** A value of a column as a person reads it: times arrive in ms since the epoch. */
export function edge(
  value: Histogram['edges'][number] | undefined,
  kind: ColumnProfile['kind']
): string {
  const number = toNumber(value);
  if (kind === 'time' && number !== null && Number.isFinite(number)) {
    return new Date(number).toISOString().slice(0, 16).replace('T', ' ');
  }
  return figure(value);
}

/** What the figures are of, in words. */
export function stageInWords(profile: Profile, trans: Trans): string {
  switch (profile.stage) {
    case 'footer':
      return trans.__('from the file’s own statistics');
    case 'sample':
      return trans.__('from a sample of %1 rows', count(profile.seen));
    case 'full':
      return trans.__('of all %1 rows', count(profile.seen));
  }
}

/** How exact the number of distinct values is. */
export function distinctInWords(column: ColumnProfile, trans: Trans): string {
  return column.distinct_error === 0
    ? trans.__('exact')
    : trans.__('estimated, standard error %1 %', (column.distinct_error * 100).toPrecision(2));
}

/** The columns that move most with this one, strongest first. */
export function strongest(
  correlation: Correlation | null,
  column: string,
  most = 5
): { column: string; r: number }[] {
  const at = correlation?.columns.indexOf(column) ?? -1;
  if (correlation === null || at < 0) {
    return [];
  }
  return correlation.columns
    .map((name, index) => ({ column: name, r: Number(correlation.values[at]?.[index]) }))
    .filter(({ column: name, r }) => name !== column && Number.isFinite(r))
    .sort((a, b) => Math.abs(b.r) - Math.abs(a.r))
    .slice(0, most);
}

/** The quantile at a share, where the profile has it. */
export function quantile(
  profile: Profile,
  column: ColumnProfile,
  share: number
): ColumnProfile['quantiles'][number] | undefined {
  const at = profile.shares.indexOf(share);
  return at < 0 ? undefined : column.quantiles[at];
}
