import type { Client } from '../api/client';
import { Loader } from './loader';

/** Milliseconds for which an answer is kept that nobody looks at, for when they come back. */
const KEEP = 60_000;

export type Fetch<T> = (client: Client, signal: AbortSignal) => Promise<T>;

/** A loader that all who ask for the same thing share. */
export class Shared<T> {
  constructor(client: Client, fetch: Fetch<T>, forget: () => void) {
    this.fetch = fetch;
    this.loader = new Loader(signal => this.fetch(client, signal));
    this._forget = forget;
    this._leave();
  }

  readonly loader: Loader<T>;
  /** How the newest of them asks. */
  fetch: Fetch<T>;

  /** Somebody shows it, be it on screen or not. */
  hold(): () => void {
    clearTimeout(this._timer);
    this._holders += 1;
    return once(() => {
      this._holders -= 1;
      if (this._holders === 0) {
        this.loader.dispose();
        this._leave();
      }
    });
  }

  /** Somebody looks at it; it is asked for anew while it is old. */
  look(): () => void {
    this._lookers += 1;
    this.loader.awake = true;
    return once(() => {
      this._lookers -= 1;
      if (this._lookers === 0) {
        this.loader.awake = false;
      }
    });
  }

  /** Ask quietly each so many milliseconds; of several the most frequent counts. */
  poll(every: number): () => void {
    const key = {};
    this._polls.set(key, every);
    this._schedule();
    return once(() => {
      this._polls.delete(key);
      this._schedule();
    });
  }

  private _schedule(): void {
    clearInterval(this._interval);
    if (this._polls.size > 0) {
      this._interval = setInterval(this.loader.poll, Math.min(...this._polls.values()));
    }
  }

  private _leave(): void {
    this._timer = setTimeout(this._forget, KEEP);
  }

  private readonly _forget: () => void;
  private readonly _polls = new Map<object, number>();
  private _interval: ReturnType<typeof setInterval> | undefined;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _holders = 0;
  private _lookers = 0;
}

const POOLS = new WeakMap<Client, Map<string, Shared<unknown>>>();

/** What is shared of this identity; the same identity must mean the same type. */
export function sharedOf<T>(client: Client, identity: string, fetch: Fetch<T>): Shared<T> {
  let pool = POOLS.get(client);
  if (pool === undefined) {
    pool = new Map();
    POOLS.set(client, pool);
  }
  const known = pool.get(identity);
  if (known !== undefined) {
    return known as Shared<T>;
  }
  const all = pool;
  const made = new Shared(client, fetch, () => {
    if (all.get(identity) === (made as Shared<unknown>)) {
      all.delete(identity);
    }
  });
  pool.set(identity, made);
  return made;
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      act();
    }
  };
}
