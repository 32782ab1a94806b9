import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import type { Client } from '../api/client';
import type { PerijoveError } from '../api/errors';
import type { Changed, Resources, Step } from '../api/types';
import { sharedOf } from './pool';
import { useProjectPath, useServices, useVisible } from './services';

/** What was asked of the server, as it stands now. */
export interface Resource<T> {
  /** The newest answer; it stays while a newer one is on its way, and when that fails. */
  data: T | undefined;
  /** Why the newest attempt failed; undefined once one has succeeded. */
  error: PerijoveError | undefined;
  loading: boolean;
  /** Ask again. */
  reload: () => void;
}

export interface ResourceOptions<T = unknown> {
  /** Nothing is asked while this is false. */
  enabled?: boolean;
  /** Under another key, the old answer stays until the new one is there. */
  keep?: boolean;
  /**
   * Ask again quietly each so many milliseconds while it is on screen, for what no event tells.
   * It may depend on what is known, and not be at all.
   */
  every?: number | ((data: T | undefined) => number | undefined);
}

/**
 * Ask the server for something, and ask again when one of these steps has changed.
 *
 * All that ask with the same key share one call and its answer, so a key means one thing in the
 * whole front end. The answer is kept for a while when nobody shows it any more.
 *
 * @param key - What is asked for. Another key, or another project, drops the old answer.
 * @param topics - The steps whose changes make the answer old.
 * @param fetch - Asks; must give the signal on, so that leaving the page gives the call up.
 * @param options - See {@link ResourceOptions}.
 *
 * ```ts
 * const runs = useResource(['runs', notebook], ['develop'], (client, signal) =>
 *   client.get('/runs', { query: { notebook }, signal })
 * );
 * ```
 */
export function useResource<T>(
  key: readonly (string | number | boolean | null)[],
  topics: readonly Step[],
  fetch: (client: Client, signal: AbortSignal) => Promise<T>,
  { enabled = true, keep = false, every }: ResourceOptions<T> = {}
): Resource<T> {
  const { client, events } = useServices();
  const project = useProjectPath();
  const visible = useVisible();
  const identity = JSON.stringify([project, key]);
  const first = useRef(fetch);
  const shared = useMemo(() => sharedOf<T>(client, identity, first.current), [client, identity]);
  const { loader } = shared;
  useEffect(() => {
    first.current = fetch;
    shared.fetch = fetch;
  });
  useEffect(() => shared.hold(), [shared]);
  const awake = enabled && visible;
  useEffect(() => {
    if (!awake) {
      return;
    }
    // With a watch of its own a page gets news where there is no sidebar, as in a notebook alone.
    const watch = events.watch();
    const release = shared.look();
    return () => {
      release();
      watch.dispose();
    };
  }, [events, shared, awake]);
  const wanted = topics.join();
  useEffect(() => {
    const onChanged = (_: unknown, event: Changed): void => {
      if (event.topics.some(topic => wanted.split(',').includes(topic))) {
        loader.invalidate();
      }
    };
    const onFailed = (): void => loader.invalidate();
    events.changed.connect(onChanged);
    events.failed.connect(onFailed);
    return () => {
      events.changed.disconnect(onChanged);
      events.failed.disconnect(onFailed);
    };
  }, [events, loader, wanted]);
  const snapshot = useSyncExternalStore(loader.subscribe, loader.read);
  const often = typeof every === 'function' ? every(snapshot.data) : every;
  useEffect(
    () => (awake && often !== undefined ? shared.poll(often) : undefined),
    [shared, awake, often]
  );
  const last = useRef<{ project: string | null; data: T }>();
  useEffect(() => {
    if (snapshot.data !== undefined) {
      last.current = { project, data: snapshot.data };
    }
  }, [snapshot.data, project]);
  const before = keep && last.current?.project === project ? last.current.data : undefined;
  return useMemo(
    () => ({
      ...snapshot,
      data: snapshot.data ?? before,
      loading: enabled && snapshot.loading,
      reload: loader.reload
    }),
    [snapshot, before, enabled, loader]
  );
}

/** The stream of the machine's load, once a second while the page is on screen. */
export function useLoad(receive: (resources: Resources) => void): void {
  const { events } = useServices();
  const visible = useVisible();
  const newest = useRef(receive);
  useEffect(() => {
    newest.current = receive;
  });
  useEffect(() => {
    if (!visible) {
      return;
    }
    const watch = events.watch({ resources: true });
    const onLoad = (_: unknown, event: { resources: Resources }): void =>
      newest.current(event.resources);
    events.load.connect(onLoad);
    return () => {
      events.load.disconnect(onLoad);
      watch.dispose();
    };
  }, [events, visible]);
}
