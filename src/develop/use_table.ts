import { useEffect, useMemo, useSyncExternalStore } from 'react';

import type { Changed } from '../api';
import { useProjectPath, useServices, useVisible } from '../kit/services';
import type { Ask } from './lines';
import { RunPages, type TableSnapshot } from './pages';

/** The table of runs as it is looked at; it asks again when runs have changed. */
export function useRunTable(ask: Ask): { pages: RunPages; table: TableSnapshot } {
  const { client, events } = useServices();
  const project = useProjectPath();
  const visible = useVisible();
  const pages = useMemo(
    () =>
      new RunPages((body, signal) =>
        client.post('/runs/table', { body, signal, ...(project === null ? {} : { project }) })
      ),
    [client, project]
  );
  useEffect(() => () => pages.dispose(), [pages]);
  const question = JSON.stringify(ask);
  useEffect(() => {
    pages.ask(JSON.parse(question) as Ask);
  }, [pages, question]);
  useEffect(() => {
    if (!visible) {
      return;
    }
    const watch = events.watch();
    const onChanged = (_: unknown, { topics }: Changed): void => {
      if (topics.includes('develop') || topics.includes('deploy')) {
        pages.refresh();
      }
    };
    events.changed.connect(onChanged);
    // What changed while nobody looked was not followed.
    pages.refresh();
    return () => {
      events.changed.disconnect(onChanged);
      watch.dispose();
    };
  }, [events, pages, visible]);
  const table = useSyncExternalStore(pages.subscribe, pages.read);
  return { pages, table };
}
