import { useCallback } from 'react';

import type { PerijoveError, RunRow, RunsChange } from '../api';
import { useAction } from '../kit/action';
import { useServices } from '../kit/services';
import type { RunPages } from './pages';

export interface RunActions {
  /** Write something on the chosen runs. */
  change: (change: Omit<RunsChange, 'run_ids'>) => Promise<boolean>;
  star: (row: RunRow) => void;
  pin: (row: RunRow) => void;
  error: PerijoveError | undefined;
}

/** What is written on runs: the table shows it at once, and as the server says it soon after. */
export function useRunActions(pages: RunPages, chosen: readonly string[]): RunActions {
  const { client, events } = useServices();
  const { run, error } = useAction(async (body: RunsChange) => {
    const ids = new Set(body.run_ids);
    if (body.star != null) {
      pages.patch(ids, { starred: body.star });
    }
    if (body.pin != null) {
      pages.patch(ids, { pinned: body.pin });
    }
    try {
      await client.post('/runs/change', { body });
    } finally {
      events.announce('develop');
    }
  });
  const star = useCallback(
    (row: RunRow) => void run({ run_ids: [row.run_id], star: !row.starred }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [pages]
  );
  const pin = useCallback(
    (row: RunRow) => void run({ run_ids: [row.run_id], pin: !row.pinned }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [pages]
  );
  return { change: change => run({ run_ids: [...chosen], ...change }), star, pin, error };
}
