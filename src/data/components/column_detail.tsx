import type { ColumnLeak, ColumnProfile, Profile } from '../../api';
import { Bars } from '../../kit/bars';
import { Drawer } from '../../kit/drawer';
import { count, figure, percent } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { Badge, KeyValue } from '../../kit/values';
import { binLabels, distinctInWords, edge, strongest } from '../profile';

export interface ColumnDetailProps {
  profile: Profile;
  column: ColumnProfile;
  leak: ColumnLeak | undefined;
  onClose: () => void;
}

/** All that the profile knows of one column. */
export function ColumnDetail({ profile, column, leak, onClose }: ColumnDetailProps): JSX.Element {
  const trans = useTrans();
  const { histogram, kind } = column;
  const most = Math.max(...column.top.map(value => value.count), 1);
  const related = strongest(profile.correlation, column.name);
  const number = kind === 'number';
  return (
    <Drawer title={column.name} kind={column.type} onClose={onClose}>
      {leak !== undefined && (
        <p className="pj-ColumnDetail-leak">
          <Badge look={leak.leaks ? 'failed' : 'ok'}>
            {leak.leaks ? trans.__('tells the answer') : trans.__('no leak')}
          </Badge>{' '}
          {leak.reason === '' ? trans.__('alone scores %1', figure(leak.score)) : leak.reason}
        </p>
      )}
      {histogram !== null && histogram.counts.length > 0 && (
        <figure className="pj-ColumnDetail-figure">
          <Bars
            counts={histogram.counts}
            labels={binLabels(histogram, kind)}
            width={320}
            height={96}
            label={trans.__('How the values of %1 lie', column.name)}
          />
          {histogram.edges.length > 0 && (
            <figcaption>
              <span>{edge(histogram.edges[0], kind)}</span>
              <span>{edge(histogram.edges[histogram.edges.length - 1], kind)}</span>
            </figcaption>
          )}
        </figure>
      )}
      <KeyValue
        items={[
          [
            trans.__('Missing'),
            column.nulls === null
              ? null
              : `${count(column.nulls)} (${percent(column.nulls / (profile.seen || 1), 1)})`
          ],
          [
            trans.__('Distinct'),
            column.distinct === null ? null : (
              <span title={distinctInWords(column, trans)}>
                {column.distinct_error > 0 && '≈ '}
                {count(column.distinct)}
              </span>
            )
          ],
          [trans.__('Smallest'), column.minimum],
          [trans.__('Largest'), column.maximum],
          [trans.__('Mean'), column.mean === null ? null : figure(column.mean)],
          [
            trans.__('Standard deviation'),
            column.deviation === null ? null : figure(column.deviation)
          ],
          [trans.__('Zeros'), number && column.zeros !== null ? count(column.zeros) : null],
          [trans.__('NaN'), column.nan ? count(column.nan) : null],
          [trans.__('Infinite'), column.infinite ? count(column.infinite) : null],
          [
            trans.__('Length'),
            column.shortest === null || column.longest === null
              ? null
              : trans.__('%1 to %2 characters', count(column.shortest), count(column.longest))
          ]
        ]}
      />
      {column.quantiles.length > 0 && (
        <>
          <h3
            className="pj-ColumnDetail-title"
            title={
              column.quantile_error === 0
                ? trans.__('exact')
                : trans.__(
                    'off by at most %1 % of the rows',
                    (column.quantile_error * 100).toPrecision(2)
                  )
            }
          >
            {trans.__('Quantiles')}
          </h3>
          <KeyValue
            items={profile.shares.map((share, index) => [
              percent(share, 0),
              edge(column.quantiles[index], kind)
            ])}
          />
        </>
      )}
      {column.top.length > 0 && (
        <>
          <h3 className="pj-ColumnDetail-title">{trans.__('Most frequent')}</h3>
          <ul className="pj-TopValues">
            {column.top.map(({ value, count: times }) => (
              <li key={value} title={`${value}: ${count(times)}`}>
                <span
                  className="pj-TopValues-bar"
                  style={{ width: `${(times / most) * 100}%` }}
                  aria-hidden="true"
                />
                <span className="pj-TopValues-text">{value === '' ? '“”' : value}</span>
                <span className="pj-TopValues-count">{count(times)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {related.length > 0 && (
        <>
          <h3 className="pj-ColumnDetail-title" title={trans.__('Pearson’s r')}>
            {trans.__('Moves with')}
          </h3>
          <KeyValue items={related.map(({ column: name, r }) => [name, r.toFixed(2)])} />
        </>
      )}
    </Drawer>
  );
}
