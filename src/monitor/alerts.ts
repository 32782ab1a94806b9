import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Alert, Alerts, IPerijove } from '../api';
import { Loader } from '../kit/loader';

/** Milliseconds between two looks, however much happens in the project. */
const REST = 1000;

/**
 * The open alerts of the current project, for the sidebar, and the word that there is a new one.
 */
export class AlertsModel implements IDisposable {
  constructor(perijove: IPerijove) {
    this._perijove = perijove;
    this._loader = this._made();
    perijove.project.changed.connect(this._onProject, this);
    perijove.events.changed.connect(this._onNews, this);
    this._watch = perijove.events.watch();
    this._onProject();
  }

  /** Other alerts are open than before. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** These were raised, or have become worse, since the project was opened here. */
  get raised(): ISignal<this, readonly Alert[]> {
    return this._raised;
  }

  /** The open ones, the newest first. */
  get items(): readonly Alert[] {
    return this._items;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._perijove.project.changed.disconnect(this._onProject, this);
    this._perijove.events.changed.disconnect(this._onNews, this);
    this._watch.dispose();
    this._loader.dispose();
    Signal.clearData(this);
  }

  private _onProject(): void {
    const { path } = this._perijove.project;
    if (path === this._path) {
      return;
    }
    this._path = path;
    this._known = null;
    this._loader.dispose();
    this._loader = this._made();
    this._set([]);
    this._loader.awake = path !== null;
  }

  private _onNews(): void {
    this._loader.invalidate();
  }

  private _made(): Loader<Alerts> {
    const loader = new Loader(signal => this._perijove.client.get('/alerts', { signal }), REST);
    loader.subscribe(() => {
      const { data } = loader.read();
      if (loader === this._loader && data !== undefined && data !== this._answer) {
        this._answer = data;
        this._receive(data.items);
      }
    });
    return loader;
  }

  private _receive(items: readonly Alert[]): void {
    const known = this._known;
    this._known = new Set(items.map(keyOf));
    this._set(items);
    const raised = items.filter(
      alert => known?.has(keyOf(alert)) === false && alert.acknowledged_at === null
    );
    if (raised.length > 0) {
      this._raised.emit(raised);
    }
  }

  private _set(items: readonly Alert[]): void {
    this._items = items;
    this._changed.emit();
  }

  private readonly _perijove: IPerijove;
  private readonly _watch: IDisposable;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _raised = new Signal<this, readonly Alert[]>(this);
  private _loader: Loader<Alerts>;
  private _items: readonly Alert[] = [];
  private _answer: Alerts | undefined;
  /** What was open at the last look; null before the first, for what is old is no news. */
  private _known: ReadonlySet<string> | null = null;
  private _path: string | null = null;
  private _disposed = false;
}

/** An alert that becomes worse is news as a new one is. */
function keyOf({ id, level }: Alert): string {
  return `${level} ${id}`;
}
