import type { Dataset, Trans } from '../api';
import type { Condition } from '../kit/state';

/** How a dataset's file stands to the newest version: a glyph and a word. */
export function datasetState(
  state: Dataset['state'],
  trans: Trans
): { condition: Condition; label: string } {
  switch (state) {
    case 'current':
      return { condition: 'ok', label: trans.__('current') };
    case 'changed':
      return { condition: 'attention', label: trans.__('file has changed') };
    case 'missing':
      return { condition: 'failed', label: trans.__('file is missing') };
  }
}
