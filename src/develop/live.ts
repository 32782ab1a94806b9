import { useEffect, useMemo, useRef, useState } from 'react';

import { asPerijoveError, isAbort, type PerijoveError, type Points, type RunSummary } from '../api';
import { useServices, useVisible } from '../kit/services';
import { advanced, curvesOf, extend, type Curves } from './curves';

export { useNow } from '../kit/now';

/** More runs than these are not watched at once: a person does not look at more. */
const MAX_WATCHED = 30;

const NONE: Curves = new Map();

/** New points of runs, the first of these before the others, while the page is on screen. */
export function usePoints(ids: readonly string[], receive: (event: Points) => void): void {
  const { events } = useServices();
  const visible = useVisible();
  const newest = useRef(receive);
  useEffect(() => {
    newest.current = receive;
  });
  const wanted = ids.slice(0, MAX_WATCHED).sort().join('\n');
  useEffect(() => {
    if (!visible || wanted === '') {
      return;
    }
    const runs = wanted.split('\n');
    const watch = events.watch({ runs });
    const onPoints = (_: unknown, event: Points): void => {
      if (runs.includes(event.run_id)) {
        newest.current(event);
      }
    };
    events.points.connect(onPoints);
    return () => {
      events.points.disconnect(onPoints);
      watch.dispose();
    };
  }, [events, visible, wanted]);
}

/** Runs with their newest numbers, and the curves of those that are charted. */
export interface ILiveRuns {
  runs: RunSummary[];
  curves: ReadonlyMap<string, Curves>;
  /** Why a curve could not be had. */
  error: PerijoveError | undefined;
  retry: () => void;
}

/**
 * Keep runs up to date between two answers of the server, and get the curves of some of them.
 *
 * @param answer - The runs as the server last said them.
 * @param charted - The runs whose curves are wanted.
 * @param project - The project of the runs; the current one when left out.
 */
export function useLiveRuns(
  answer: readonly RunSummary[],
  charted: ReadonlySet<string>,
  project?: string
): ILiveRuns {
  const { client } = useServices();
  const [events, setEvents] = useState<ReadonlyMap<string, Points>>(new Map());
  const [curves, setCurves] = useState<ReadonlyMap<string, Curves>>(new Map());
  const [error, setError] = useState<PerijoveError>();
  const [attempt, setAttempt] = useState(0);
  const running = watched(answer, charted);

  usePoints(running, event => {
    setEvents(old => new Map(old).set(event.run_id, merged(old.get(event.run_id), event)));
    setCurves(old => {
      const known = old.get(event.run_id);
      return known === undefined && !event.reset
        ? old
        : new Map(old).set(event.run_id, extend(known ?? NONE, event));
    });
  });

  // A run that ends gets its curves once more: what was thinned on the way is whole then.
  const wanted = answer
    .filter(run => charted.has(run.run_id))
    .map(run => `${run.run_id} ${run.state === 'running' ? 'running' : 'ended'}`)
    .sort()
    .join('\n');
  const asked = useRef(new Map<string, AbortController>());
  useEffect(() => {
    const keys = new Set(wanted === '' ? [] : wanted.split('\n'));
    for (const [key, controller] of asked.current) {
      if (!keys.has(key)) {
        controller.abort();
        asked.current.delete(key);
      }
    }
    for (const key of keys) {
      if (asked.current.has(key)) {
        continue;
      }
      const [runId = '', state] = key.split(' ');
      const controller = new AbortController();
      asked.current.set(key, controller);
      client
        .get('/runs/{run_id}/series', {
          path: { run_id: runId },
          signal: controller.signal,
          ...(project === undefined ? {} : { project })
        })
        .then(({ series }) => {
          setCurves(old => {
            const whole = curvesOf(series);
            const known = state === 'running' ? old.get(runId) : undefined;
            const next = known
              ? extend(whole, { series: [...known.values()], reset: false })
              : whole;
            return new Map(old).set(runId, next);
          });
        })
        .catch((failure: unknown) => {
          asked.current.delete(key);
          if (!controller.signal.aborted && !isAbort(failure)) {
            setError(asPerijoveError(failure));
          }
        });
    }
  }, [client, wanted, project, attempt]);
  useEffect(() => {
    const controllers = asked.current;
    return () => {
      controllers.forEach(controller => controller.abort());
      controllers.clear();
    };
  }, []);

  const runs = useMemo(
    () =>
      answer.map(run => {
        const event = events.get(run.run_id);
        return event && run.state === 'running' ? advanced(run, event) : run;
      }),
    [answer, events]
  );
  return {
    runs,
    curves,
    error,
    retry: () => {
      setError(undefined);
      setAttempt(attempt + 1);
    }
  };
}

/** What runs, by what is charted first, for not all of many can be watched. */
export function watched(
  runs: readonly RunSummary[],
  charted: ReadonlySet<string>
): readonly string[] {
  const running = runs.filter(run => run.state === 'running').map(run => run.run_id);
  return [...running.filter(id => charted.has(id)), ...running.filter(id => !charted.has(id))];
}

/** The newest value of every metric that any of the events brought. */
function merged(old: Points | undefined, event: Points): Points {
  const series = new Map((old?.series ?? []).map(one => [one.key, one]));
  for (const one of event.series) {
    if (one.values.length > 0) {
      series.set(one.key, {
        key: one.key,
        steps: one.steps.slice(-1),
        values: one.values.slice(-1),
        times: one.times.slice(-1),
        total: one.total
      });
    }
  }
  return {
    ...event,
    series: [...series.values()],
    progress: event.progress ?? old?.progress ?? null
  };
}
