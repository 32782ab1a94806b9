import { useMemo } from 'react';

import type { ColumnProfile, Dataset } from '../../api';
import type { Condition } from '../../kit/conditions';
import { FilterEditor as Editor, type FilterColumn } from '../../kit/filter_editor';
import { useTrans } from '../../kit/services';
import { kindOf } from '../view';

export interface FilterEditorProps {
  columns: Dataset['facts']['columns'];
  /** What is known of the values, to choose from. */
  profiles: ReadonlyMap<string, ColumnProfile>;
  /** The condition to begin with; a new one when left out. */
  condition?: Condition;
  /** The column of a new one. */
  start?: string;
  onDone: (condition: Condition) => void;
  onCancel?: () => void;
}

/** One condition on a dataset's columns, with what their profiles know of the values. */
export function FilterEditor({ columns, profiles, ...rest }: FilterEditorProps): JSX.Element {
  const trans = useTrans();
  const known = useMemo<FilterColumn[]>(
    () =>
      columns.map(({ name, type }) => {
        const kind = kindOf(type);
        const profile = profiles.get(name);
        const ranged = profile?.minimum != null && profile.maximum != null && kind !== 'truth';
        return {
          name,
          kind,
          ...(profile !== undefined && { suggestions: profile.top.map(top => top.value) }),
          ...(ranged && {
            note: trans.__('%1 to %2', shortened(profile.minimum!), shortened(profile.maximum!))
          })
        };
      }),
    [columns, profiles, trans]
  );
  return <Editor columns={known} {...rest} />;
}

function shortened(text: string): string {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
