/** Rows travel in chunks of this many, at multiples of it. */
export const CHUNK_ROWS = 512;

export interface IPagesOptions<P> {
  /** Get one chunk. The signal is aborted when nobody can see the answer any more. */
  load(chunk: number, signal: AbortSignal): Promise<P>;
  /** Called when a chunk that somebody looked for is there. */
  arrived?(chunk: number): void;
  /** Called when a chunk could not be had, and when it is asked for again. */
  failed?(error: unknown): void;
  /** Chunks that are kept; the least recently seen goes first. */
  capacity?: number;
  /** Chunks that are asked for at the same time. */
  concurrency?: number;
}

/**
 * The chunks of one version of a table: what has been seen lately is kept, and what is looked
 * at now comes first.
 *
 * #### Notes
 * A grid asks for each cell that it paints, so `get` never waits. Dragging the scroll bar asks
 * for chunks that are gone again from view when their turn comes: only the newest few stay in
 * the queue, and a chunk that is seen again is asked for again.
 */
export class Pages<P> {
  constructor(options: IPagesOptions<P>) {
    this._options = options;
    this._capacity = options.capacity ?? 64;
    this._concurrency = options.concurrency ?? 2;
  }

  /** Why the last chunk could not be had; undefined while all is well. */
  get error(): unknown {
    const [first] = this._errors.values();
    return first;
  }

  /** A chunk that is there, else undefined: then it is asked for. */
  get(chunk: number): P | undefined {
    const page = this._kept.get(chunk);
    if (page === undefined) {
      this._want(chunk);
      return undefined;
    }
    this._touch(chunk, page);
    return page;
  }

  /** A chunk, when it is there. Not dropped from the queue, for it has no queue. */
  async fetch(chunk: number): Promise<P> {
    return this._kept.get(chunk) ?? this._load(chunk);
  }

  /** Drop chunks that are not whole any more. */
  forget(first: number, count: number): void {
    for (let chunk = first; chunk < first + count; chunk++) {
      this._kept.delete(chunk);
      // An answer that is on its way is old too: nobody keeps it.
      this._inFlight.delete(chunk);
    }
  }

  /** Ask again for what could not be had. */
  retry(): void {
    const chunks = [...this._errors.keys()];
    this._errors.clear();
    this._options.failed?.(undefined);
    chunks.forEach(chunk => this._want(chunk));
  }

  dispose(): void {
    this._abort.abort();
    this._waiting = [];
    this._kept.clear();
  }

  private _want(chunk: number): void {
    if (this._abort.signal.aborted || this._inFlight.has(chunk) || this._errors.has(chunk)) {
      return;
    }
    this._waiting = [chunk, ...this._waiting.filter(other => other !== chunk)].slice(0, BACKLOG);
    this._next();
  }

  private _next(): void {
    while (this._inFlight.size < this._concurrency) {
      const chunk = this._waiting.shift();
      if (chunk === undefined) {
        return;
      }
      this._load(chunk).then(
        () => this._options.arrived?.(chunk),
        (error: unknown) => {
          if (!this._abort.signal.aborted) {
            this._errors.set(chunk, error);
            this._options.failed?.(error);
          }
        }
      );
    }
  }

  private _load(chunk: number): Promise<P> {
    const running = this._inFlight.get(chunk);
    if (running) {
      return running;
    }
    const load: Promise<P> = this._options
      .load(chunk, this._abort.signal)
      .then(page => {
        if (!this._abort.signal.aborted && this._inFlight.get(chunk) === load) {
          this._touch(chunk, page);
        }
        return page;
      })
      .finally(() => {
        if (this._inFlight.get(chunk) === load) {
          this._inFlight.delete(chunk);
        }
        this._next();
      });
    this._inFlight.set(chunk, load);
    return load;
  }

  private _touch(chunk: number, page: P): void {
    this._kept.delete(chunk);
    this._kept.set(chunk, page);
    if (this._kept.size > this._capacity) {
      const [oldest] = this._kept.keys();
      this._kept.delete(oldest!);
    }
  }

  private readonly _options: IPagesOptions<P>;
  private readonly _capacity: number;
  private readonly _concurrency: number;
  private readonly _abort = new AbortController();
  private readonly _kept = new Map<number, P>();
  private readonly _inFlight = new Map<number, Promise<P>>();
  private readonly _errors = new Map<number, unknown>();
  private _waiting: number[] = [];
}

/** More than the chunks that a screen can show at once. */
const BACKLOG = 4;
