import { useCallback, useRef, useState } from 'react';

import type { PerijoveError } from '../api/errors';
import { asPerijoveError } from '../api/errors';

/** Something that the user does: whether it runs, and why it failed. */
export interface Action<Arguments extends unknown[]> {
  /** Do it. Resolves to whether it was done; a second call while it runs does nothing. */
  run: (...args: Arguments) => Promise<boolean>;
  busy: boolean;
  error: PerijoveError | undefined;
  /** Put the error away. */
  clear: () => void;
}

/** Keep track of one thing that the user does, such as saving a form. */
export function useAction<Arguments extends unknown[]>(
  act: (...args: Arguments) => Promise<unknown>
): Action<Arguments> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<PerijoveError>();
  const running = useRef(false);
  const run = async (...args: Arguments): Promise<boolean> => {
    if (running.current) {
      return false;
    }
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await act(...args);
      return true;
    } catch (failure) {
      setError(asPerijoveError(failure));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  const clear = useCallback(() => setError(undefined), []);
  return { run, busy, error, clear };
}
