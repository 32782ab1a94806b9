import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';

import type { IPerijove } from '../api/tokens';
import { english } from '../api/english';

/** What every component below a page or the sidebar can reach. */
export const ServicesContext = createContext<IPerijove | null>(null);

/** Whether the page is on screen; what is hidden neither fetches nor draws. */
export const VisibleContext = createContext(true);

/** The client, the events, the current project, the openers and the commands. */
export function useServices(): IPerijove {
  const services = useContext(ServicesContext);
  if (services === null) {
    throw new Error('This component needs a ServicesContext above it.');
  }
  return services;
}

/** The translations; plain English outside of JupyterLab. */
export function useTrans(): TranslationBundle {
  return useContext(ServicesContext)?.trans ?? english;
}

export function useVisible(): boolean {
  return useContext(VisibleContext);
}

/** A value that a Lumino signal announces. The value must keep its identity while it is equal. */
export function useSignal<Sender, Value>(
  signal: ISignal<Sender, unknown>,
  read: () => Value
): Value {
  const subscribe = useCallback(
    (notice: () => void) => {
      signal.connect(notice);
      return () => {
        signal.disconnect(notice);
      };
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, read);
}

/** The folder of the current project; null while there is none. */
export function useProjectPath(): string | null {
  const { project } = useServices();
  return useSignal(project.changed, () => project.path);
}
