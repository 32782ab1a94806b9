import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  Changed,
  Ended,
  Failed,
  Load,
  Progress,
  Points,
  ServerEvent,
  Step,
  Watch
} from './types';
import { STEPS } from './types';

/** What a subscriber wants beside the news of what changed. */
export interface Want {
  /** Runs whose new points are wanted. */
  runs?: readonly string[];
  /** Whether the machine's load is wanted, once a second. */
  resources?: boolean;
}

/** A subscription. Disposing it lets the stream want less. */
export interface Subscription extends IDisposable {
  update(want: Want): void;
}

const OPEN = 1;

/**
 * The one event stream of a browser tab.
 *
 * The socket is open while somebody subscribes and a project is current. The wishes of all
 * subscribers travel merged; a hidden tab asks for no points and no load. After a lost connection
 * everything is announced as changed, for news may have been missed.
 */
export class EventStream implements IDisposable {
  constructor(options: EventStream.IOptions) {
    this._url = options.url;
    this._open = options.open;
    this._document = options.document ?? null;
    this._random = options.random ?? Math.random;
    this._document?.addEventListener('visibilitychange', this._schedule);
  }

  /** Something of these steps is not as it was. */
  get changed(): ISignal<this, Changed> {
    return this._changed;
  }

  /** New points of a watched run. */
  get points(): ISignal<this, Points> {
    return this._points;
  }

  /** The machine's load. */
  get load(): ISignal<this, Load> {
    return this._load;
  }

  /** How far work in the server's background is. */
  get progress(): ISignal<this, Progress> {
    return this._progress;
  }

  /** A job has ended. */
  get ended(): ISignal<this, Ended> {
    return this._ended;
  }

  /** The project cannot be watched, say because its file is broken. */
  get failed(): ISignal<this, Failed> {
    return this._failed;
  }

  /** Whether the stream is connected now. */
  get connectionChanged(): ISignal<this, boolean> {
    return this._connectionChanged;
  }

  get isConnected(): boolean {
    return this._connected;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  get project(): string | null {
    return this._project;
  }

  set project(path: string | null) {
    if (this._project !== path) {
      this._project = path;
      this._schedule();
    }
  }

  /** Subscribe. Several calls in one turn travel as one message. */
  watch(want: Want = {}): Subscription {
    const key = {};
    const wants = this._wants;
    const schedule = this._schedule;
    wants.set(key, want);
    schedule();
    return {
      get isDisposed() {
        return !wants.has(key);
      },
      update(next: Want) {
        if (wants.has(key)) {
          wants.set(key, next);
          schedule();
        }
      },
      dispose() {
        if (wants.delete(key)) {
          schedule();
        }
      }
    };
  }

  /** Tell subscribers of a change that this tab made itself, without waiting for the server. */
  announce(...topics: Step[]): void {
    if (this._project !== null) {
      this._changed.emit({ type: 'changed', project: this._project, topics });
    }
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    this._document?.removeEventListener('visibilitychange', this._schedule);
    this._wants.clear();
    this._close();
    Signal.clearData(this);
  }

  private readonly _schedule = (): void => {
    if (this._scheduled || this._disposed) {
      return;
    }
    this._scheduled = true;
    queueMicrotask(() => {
      this._scheduled = false;
      this._sync();
    });
  };

  private _sync(): void {
    if (this._disposed || this._project === null || this._wants.size === 0) {
      this._close();
      return;
    }
    if (this._socket === null) {
      if (this._timer === null) {
        this._connect();
      }
      return;
    }
    if (this._socket.readyState !== OPEN) {
      return;
    }
    const text = JSON.stringify(this._merged(this._project));
    if (text !== this._sent) {
      this._sent = text;
      this._socket.send(text);
    }
  }

  private _merged(project: string): Watch {
    const runs = new Set<string>();
    let resources = false;
    if (this._document?.visibilityState !== 'hidden') {
      for (const want of this._wants.values()) {
        want.runs?.forEach(run => runs.add(run));
        resources ||= want.resources === true;
      }
    }
    return { type: 'watch', project, runs: [...runs].sort(), resources };
  }

  private _connect(): void {
    const socket = this._open(this._url);
    this._socket = socket;
    this._sent = '';
    socket.onopen = () => {
      const again = this._attempts > 0;
      this._attempts = 0;
      this._setConnected(true);
      this._sync();
      if (again) {
        this.announce(...STEPS);
      }
    };
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (typeof message.data === 'string') {
        this._receive(JSON.parse(message.data) as ServerEvent);
      }
    };
    socket.onclose = () => {
      if (this._socket !== socket) {
        return;
      }
      this._socket = null;
      this._setConnected(false);
      this._retry();
    };
  }

  private _retry(): void {
    if (this._disposed || this._wants.size === 0 || this._project === null) {
      return;
    }
    // Twice as long each time, up to half a minute; scattered, so that many tabs do not come at once.
    const wait = Math.min(30_000, 500 * 2 ** this._attempts) * (0.75 + this._random() / 2);
    this._attempts += 1;
    this._timer = setTimeout(() => {
      this._timer = null;
      this._sync();
    }, wait);
  }

  private _receive(event: ServerEvent): void {
    // A late word about the project that was left.
    if (event.project !== this._project) {
      return;
    }
    switch (event.type) {
      case 'changed':
        this._changed.emit(event);
        break;
      case 'points':
        this._points.emit(event);
        break;
      case 'load':
        this._load.emit(event);
        break;
      case 'progress':
        this._progress.emit(event);
        break;
      case 'ended':
        this._ended.emit(event);
        break;
      case 'failed':
        this._failed.emit(event);
        break;
      default:
        unknownEvent(event);
    }
  }

  private _close(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
    this._attempts = 0;
    const socket = this._socket;
    this._socket = null;
    socket?.close();
    this._setConnected(false);
  }

  private _setConnected(connected: boolean): void {
    if (this._connected !== connected) {
      this._connected = connected;
      this._connectionChanged.emit(connected);
    }
  }

  private readonly _changed = new Signal<this, Changed>(this);
  private readonly _points = new Signal<this, Points>(this);
  private readonly _load = new Signal<this, Load>(this);
  private readonly _progress = new Signal<this, Progress>(this);
  private readonly _ended = new Signal<this, Ended>(this);
  private readonly _failed = new Signal<this, Failed>(this);
  private readonly _connectionChanged = new Signal<this, boolean>(this);
  private readonly _url: string;
  private readonly _open: (url: string) => WebSocket;
  private readonly _document: Document | null;
  private readonly _random: () => number;
  private readonly _wants = new Map<object, Want>();
  private _project: string | null = null;
  private _socket: WebSocket | null = null;
  private _timer: ReturnType<typeof setTimeout> | null = null;
  private _attempts = 0;
  private _sent = '';
  private _scheduled = false;
  private _connected = false;
  private _disposed = false;
}

export namespace EventStream {
  export interface IOptions {
    url: string;
    open: (url: string) => WebSocket;
    /** Its visibility decides whether points and load are wanted. */
    document?: Document;
    /** Scatters reconnections; in [0, 1). */
    random?: () => number;
  }
}

function unknownEvent(event: never): void {
  console.warn('Perijove: an event of an unknown kind', event);
}
