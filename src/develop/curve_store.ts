import {
  asPerijoveError,
  type CurveSet,
  type PerijoveError,
  type Points,
  type Request,
  type Series
} from '../api';
import { inserted, type CurveWindow } from './curve_window';
import { extend } from './curves';
import { isCurve } from './paths';

export type FetchCurves = (
  request: Request<'CurvesRequest'>,
  signal: AbortSignal
) => Promise<CurveSet>;

/** Runs that are asked for at once. */
const MOST = 50;
/** Metrics of which it is found out at once whether they are curves. */
const MOST_PROBED = 100;
/** Milliseconds in which wishes are put together. */
const GATHER = 15;

/**
 * The curves of some runs: what is in view is asked for, new points are added, and charts are told
 * one by one, each in a frame of its own, so that no frame has to draw them all.
 */
export class CurveStore {
  constructor(fetch: FetchCurves, frame: (act: () => void) => void = nextFrame) {
    this._fetch = fetch;
    this._frame = frame;
  }

  /** Why a curve could not be had. */
  error: PerijoveError | undefined;
  /** Another number when other metrics have curves. */
  shape = 0;

  /** These runs are shown; the value says whether a run still logs. */
  show(runs: ReadonlyMap<string, boolean>): void {
    for (const [run, live] of runs) {
      // A run that ended is asked for once more: what was thinned on the way is whole then.
      if (this._runs.get(run) === true && !live) {
        this._asked.delete(run);
      }
    }
    this._runs = new Map(runs);
    this._lapse();
    this._later();
    this._reshape();
  }

  /** A chart of this metric is in view. */
  want(metric: string): () => void {
    this._wanted.set(metric, (this._wanted.get(metric) ?? 0) + 1);
    this._later();
    return () => {
      const left = (this._wanted.get(metric) ?? 1) - 1;
      if (left > 0) {
        this._wanted.set(metric, left);
      } else {
        this._wanted.delete(metric);
      }
    };
  }

  subscribe(metric: string, notice: () => void): () => void {
    const notices = this._notices.get(metric) ?? new Set();
    this._notices.set(metric, notices);
    notices.add(notice);
    return () => {
      notices.delete(notice);
    };
  }

  /** Told when `shape` or `error` are other ones. */
  readonly subscribeShape = (notice: () => void): (() => void) => {
    this._shapeNotices.add(notice);
    return () => {
      this._shapeNotices.delete(notice);
    };
  };

  /** Another number when a curve of this metric is another one. */
  version(metric: string): number {
    return this._versions.get(metric) ?? 0;
  }

  series(metric: string, run: string): Series | undefined {
    const whole = this._curves.get(run)?.get(metric);
    const close = this._close.get(run)?.get(metric);
    if (whole === undefined || close === undefined || this._window === null) {
      return whole;
    }
    const made = this._merged.get(whole);
    if (made?.close === close) {
      return made.series;
    }
    const series = inserted(whole, close, this._window.by, this._window.of(run)[0]);
    this._merged.set(whole, { close, series });
    return series;
  }

  /** Whether this metric is more than one point a run; undefined while that is not known. */
  isCurve(metric: string): boolean | undefined {
    if (this._curved.has(metric)) {
      return true;
    }
    const runs = this._sample();
    const known = runs.every(run => this._probed.get(run)?.has(metric) === true);
    return runs.length > 0 && known ? false : undefined;
  }

  /** Find out which of these metrics, that some of the runs have, are curves. */
  probe(metrics: readonly string[]): void {
    const unknown = metrics.filter(metric => !this._curved.has(metric));
    for (const { runs, keys } of this._missing(unknown, this._probed, () => true, this._sample())) {
      const request = { run_ids: runs, keys: keys.slice(0, MOST_PROBED), points: 2 };
      void this._load(request, this._controller.signal, this._probed, set => {
        for (const one of set.flatMap(({ series }) => series)) {
          if (one.total > 1) {
            this._curved.add(one.key);
          }
        }
        this._reshape();
      });
    }
  }

  /** The metrics that new points were of. */
  get live(): readonly string[] {
    return [...this._live];
  }

  /** Look more closely at a part, or at the whole again. */
  zoom(window: CurveWindow | null): void {
    this._window = window;
    this._close.clear();
    this._closeAsked.clear();
    this._zooming?.abort();
    this._zooming = new AbortController();
    for (const metric of this._wanted.keys()) {
      this._changed(metric);
    }
    this._later();
  }

  /** New points of a run. */
  receive(event: Pick<Points, 'run_id' | 'series' | 'reset'>): void {
    const { run_id: run } = event;
    if (!this._runs.has(run)) {
      return;
    }
    for (const { key } of event.series) {
      if (!this._live.has(key)) {
        this._live.add(key);
        this._reshape();
      }
    }
    const known = this._known.get(run);
    // What was never asked for is not begun in its middle.
    const series = event.series.filter(one => known?.has(one.key) === true || event.reset);
    const before = this._curves.get(run) ?? new Map<string, Series>();
    this._curves.set(run, extend(before, { series, reset: event.reset }));
    series.forEach(({ key }) => this._changed(key));
    for (const one of event.series) {
      if (!this._curved.has(one.key) && one.total > 1) {
        this._curved.add(one.key);
        this._reshape();
      }
    }
  }

  /** Ask again for what failed. */
  readonly retry = (): void => {
    this.error = undefined;
    this._reshape();
    this._later();
  };

  dispose(): void {
    clearTimeout(this._timer);
    this._controller.abort();
    this._zooming?.abort();
    this._notices.clear();
    this._shapeNotices.clear();
  }

  private _later(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      this._ask();
    }, GATHER);
  }

  private _ask(): void {
    const metrics = [...this._wanted.keys()];
    for (const { runs, keys } of this._missing(metrics, this._asked, () => true)) {
      void this._load({ run_ids: runs, keys }, this._controller.signal, this._asked, set => {
        for (const { run_id: run, series } of set) {
          this._put(run, keys, series);
        }
      });
    }
    const window = this._window;
    if (window !== null) {
      const thinned = (run: string, metric: string): boolean => {
        const whole = this._curves.get(run)?.get(metric);
        return whole !== undefined && whole.total > whole.steps.length;
      };
      for (const { runs, keys } of this._missing(metrics, this._closeAsked, thinned)) {
        this._loadClose(window, runs, keys);
      }
    }
  }

  private _loadClose(window: CurveWindow, runs: string[], keys: string[]): void {
    const spans = new Map<string, string[]>();
    for (const run of runs) {
      const span = JSON.stringify(window.of(run));
      spans.set(span, [...(spans.get(span) ?? []), run]);
    }
    const signal = this._zooming?.signal ?? this._controller.signal;
    for (const [span, ids] of spans) {
      const [start, end] = JSON.parse(span) as [number, number];
      const request = { run_ids: ids, keys, by: window.by, start, end };
      void this._load(request, signal, this._closeAsked, set => {
        for (const { run_id: run, series } of set) {
          const close = this._close.get(run) ?? new Map<string, Series>();
          this._close.set(run, close);
          series.forEach(one => close.set(one.key, one));
        }
        keys.forEach(key => this._changed(key));
      });
    }
  }

  private async _load(
    request: Request<'CurvesRequest'>,
    signal: AbortSignal,
    asked: Map<string, Set<string>>,
    put: (set: CurveSet['items']) => void
  ): Promise<void> {
    const { run_ids: runs, keys = [] } = request;
    for (const run of runs) {
      const keysOf = asked.get(run) ?? new Set();
      asked.set(run, keysOf);
      keys.forEach(key => keysOf.add(key));
    }
    try {
      const { items } = await this._fetch(request, signal);
      if (!signal.aborted) {
        put(items);
        // What was put may be thinned, where a part of it is looked at closely.
        this._later();
      }
    } catch (error) {
      if (!signal.aborted) {
        for (const run of runs) {
          keys.forEach(key => asked.get(run)?.delete(key));
        }
        this.error = asPerijoveError(error);
        this._reshape();
      }
    }
  }

  private _put(run: string, keys: readonly string[], series: readonly Series[]): void {
    const known = this._known.get(run) ?? new Set<string>();
    this._known.set(run, known);
    keys.forEach(key => known.add(key));
    const before = this._curves.get(run) ?? new Map<string, Series>();
    const next = new Map(before);
    for (const one of series) {
      const tail = this._runs.get(run) === true ? before.get(one.key) : undefined;
      const whole = new Map([[one.key, one]]);
      // Points that came while the whole was on its way are later than it.
      const joined = tail === undefined ? whole : extend(whole, { series: [tail], reset: false });
      next.set(one.key, joined.get(one.key)!);
    }
    this._curves.set(run, next);
    keys.forEach(key => this._changed(key));
    for (const one of series) {
      if (isCurve(one) && !this._curved.has(one.key)) {
        this._curved.add(one.key);
        this._reshape();
      }
    }
  }

  /** Some of the runs, to learn from what metrics are like. */
  private _sample(): string[] {
    const runs = [...this._runs.keys()].slice(0, MOST);
    return [...new Set([runs[0], runs[runs.length >> 1], runs.at(-1)])].filter(
      (run): run is string => run !== undefined
    );
  }

  /** What is wanted and was not asked for, by the runs that lack the same. */
  private _missing(
    metrics: readonly string[],
    asked: ReadonlyMap<string, ReadonlySet<string>>,
    counts: (run: string, metric: string) => boolean,
    of: readonly string[] = [...this._runs.keys()].slice(0, MOST)
  ): { runs: string[]; keys: string[] }[] {
    const found = new Map<string, { runs: string[]; keys: string[] }>();
    if (this.error !== undefined) {
      return [];
    }
    for (const metric of metrics) {
      const runs = of.filter(run => asked.get(run)?.has(metric) !== true && counts(run, metric));
      if (runs.length > 0) {
        const id = runs.join();
        const same = found.get(id) ?? { runs, keys: [] };
        found.set(id, same);
        same.keys.push(metric);
      }
    }
    return [...found.values()];
  }

  /** Let go of the curves of runs that are not shown, when they are many. */
  private _lapse(): void {
    for (const run of this._curves.keys()) {
      if (this._curves.size <= 2 * MOST) {
        return;
      }
      if (!this._runs.has(run)) {
        this._curves.delete(run);
        this._known.delete(run);
        this._asked.delete(run);
      }
    }
  }

  private _changed(metric: string): void {
    if (this._queue.size === 0) {
      this._frame(this._tellOne);
    }
    this._queue.add(metric);
  }

  private readonly _tellOne = (): void => {
    for (const metric of this._queue) {
      this._queue.delete(metric);
      this._versions.set(metric, this.version(metric) + 1);
      const notices = this._notices.get(metric);
      if (notices !== undefined && notices.size > 0) {
        notices.forEach(notice => notice());
        break;
      }
    }
    if (this._queue.size > 0) {
      this._frame(this._tellOne);
    }
  };

  private _reshape(): void {
    this.shape += 1;
    this._shapeNotices.forEach(notice => notice());
  }

  private readonly _fetch: FetchCurves;
  private readonly _frame: (act: () => void) => void;
  private readonly _controller = new AbortController();
  private readonly _wanted = new Map<string, number>();
  private readonly _curves = new Map<string, ReadonlyMap<string, Series>>();
  /** By run, the metrics that were asked for, and those that were answered. */
  private readonly _asked = new Map<string, Set<string>>();
  private readonly _known = new Map<string, Set<string>>();
  private readonly _close = new Map<string, Map<string, Series>>();
  private readonly _closeAsked = new Map<string, Set<string>>();
  private readonly _merged = new WeakMap<Series, { close: Series; series: Series }>();
  private readonly _versions = new Map<string, number>();
  private readonly _notices = new Map<string, Set<() => void>>();
  private readonly _shapeNotices = new Set<() => void>();
  private readonly _queue = new Set<string>();
  private readonly _live = new Set<string>();
  /** The metrics that are known to be curves, in whatever run. */
  private readonly _curved = new Set<string>();
  private readonly _probed = new Map<string, Set<string>>();
  private _runs: ReadonlyMap<string, boolean> = new Map();
  private _window: CurveWindow | null = null;
  private _zooming: AbortController | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

/** In the next frame; soon where no frame comes, as in a window that is covered. */
function nextFrame(act: () => void): void {
  if (typeof document !== 'undefined' && document.visibilityState === 'visible') {
    requestAnimationFrame(act);
  } else {
    setTimeout(act, 16);
  }
}
