import { useCallback } from 'react';

import { useServices } from './services';

/** Open a reference; that nobody can, or that it failed, is told to the user. */
export function useOpen(): (ref: string) => void {
  const { openers } = useServices();
  return useCallback(
    ref => {
      openers.open(ref).catch(async (error: unknown) => {
        const { notifyError } = await import('./act');
        notifyError(error);
      });
    },
    [openers]
  );
}
