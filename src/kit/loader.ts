import type { PerijoveError } from '../api/errors';
import { asPerijoveError } from '../api/errors';

export interface Snapshot<T> {
  data: T | undefined;
  error: PerijoveError | undefined;
  loading: boolean;
}

/** Milliseconds between two calls of one loader, however often it is told that it is old. */
const REST = 250;

/**
 * Asks for one thing, one call at a time.
 *
 * News that arrives during a call leads to one more call after it, not to many.
 */
export class Loader<T> {
  constructor(fetch: (signal: AbortSignal) => Promise<T>, rest = REST) {
    this._fetch = fetch;
    this._rest = rest;
  }

  readonly read = (): Snapshot<T> => this._snapshot;

  readonly subscribe = (notice: () => void): (() => void) => {
    this._notices.add(notice);
    return () => {
      this._notices.delete(notice);
    };
  };

  /** Ask at once, whatever is known already. */
  readonly reload = (): void => {
    this._stale = true;
    this._loud = true;
    this._load();
  };

  /** Ask at once, without a sign of it: for what is asked again and again. */
  readonly poll = (): void => {
    this._stale = true;
    this._load();
  };

  /** What is known is old. It is asked for again when somebody looks. */
  invalidate(): void {
    this._stale = true;
    this._loud = true;
    if (this._awake) {
      this._load();
    }
  }

  /** Whether somebody looks. */
  set awake(awake: boolean) {
    this._awake = awake;
    if (awake && this._stale) {
      this._load();
    }
  }

  /** Give the call up. What is known stays, and is old when somebody looks again. */
  dispose(): void {
    this._awake = false;
    this._stale = true;
    clearTimeout(this._timer);
    this._timer = undefined;
    this._controller?.abort();
    this._controller = null;
    this._snapshot = { ...this._snapshot, loading: this._snapshot.data === undefined };
  }

  private _load(): void {
    if (this._controller !== null || this._timer !== undefined) {
      return;
    }
    void this._run();
  }

  private async _run(): Promise<void> {
    const controller = new AbortController();
    this._controller = controller;
    this._stale = false;
    if (this._loud) {
      this._loud = false;
      this._set({ ...this._snapshot, loading: true });
    }
    try {
      const data = await this._fetch(controller.signal);
      if (!controller.signal.aborted) {
        this._set({ data, error: undefined, loading: false });
      }
    } catch (error) {
      if (!controller.signal.aborted) {
        this._set({ ...this._snapshot, error: asPerijoveError(error), loading: false });
      }
    }
    if (this._controller !== controller) {
      return;
    }
    this._controller = null;
    this._timer = setTimeout(() => {
      this._timer = undefined;
      if (this._stale && this._awake) {
        this._load();
      }
    }, this._rest);
  }

  private _set(snapshot: Snapshot<T>): void {
    this._snapshot = snapshot;
    this._notices.forEach(notice => notice());
  }

  private readonly _fetch: (signal: AbortSignal) => Promise<T>;
  private readonly _rest: number;
  private readonly _notices = new Set<() => void>();
  private _snapshot: Snapshot<T> = { data: undefined, error: undefined, loading: true };
  private _controller: AbortController | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _stale = true;
  /** Whether the next call shows. */
  private _loud = true;
  private _awake = false;
}
