import type { Disorder, Trans } from '../../api';
import { useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';

/** Why a fresh kernel that ran these cells might not do the same. */
export function Disorders(props: {
  items: readonly Disorder[];
  /** The name of the run that it is about, where that is not plain. */
  of?: string;
}): JSX.Element | null {
  const { items, of } = props;
  const trans = useTrans();
  if (items.length === 0) {
    return null;
  }
  return (
    <div className="pj-Note pj-Disorder" role="note">
      <strong>
        {of === undefined
          ? trans.__('A fresh run of these cells may come to something else')
          : trans.__('%1 may come to something else in a fresh kernel', of)}
      </strong>
      <ul>
        {items.map((one, index) => (
          <li key={index}>
            <StateGlyph state="attention" label={disorderWord(one.kind, trans)} />
            <span>
              <span className="pj-mod-strong">{disorderWord(one.kind, trans)}.</span> {one.detail}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function disorderWord(kind: Disorder['kind'], trans: Trans): string {
  switch (kind) {
    case 'order':
      return trans.__('Cells ran out of order');
    case 'edited':
      return trans.__('A cell was changed after it ran');
    case 'failed':
      return trans.__('A cell that failed may have had effects');
    case 'deleted':
      return trans.__('A cell that ran is no longer in the notebook');
    case 'hidden':
      return trans.__('A name comes from no cell that ran');
  }
}
