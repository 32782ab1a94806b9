import type { IDisposable } from '@lumino/disposable';

import type { IPerijove } from '../api';
import type { Lifecycle, State, StepStatus } from '../api';
import { Loader, type Snapshot } from '../kit/loader';

/** How much a state matters, the most pressing first. */
const PRESSING: readonly State[] = ['failed', 'attention', 'running', 'ok', 'not_started'];

/** The state that matters most among the steps. */
export function worstState(steps: readonly StepStatus[]): State {
  return PRESSING.find(state => steps.some(step => step.state === state)) ?? 'not_started';
}

/** The first step with a state, which the status bar tells about. */
export function tellingStep(steps: readonly StepStatus[]): StepStatus | undefined {
  const worst = worstState(steps);
  return steps.find(step => step.state === 'running') ?? steps.find(step => step.state === worst);
}

/**
 * The life cycle of the current project, asked for once for the sidebar and the status bar.
 */
export class LifecycleModel implements IDisposable {
  constructor(perijove: IPerijove) {
    this._perijove = perijove;
    this._loader = this._made();
    perijove.project.changed.connect(this._onProject, this);
    perijove.events.changed.connect(this._onNews, this);
    perijove.events.failed.connect(this._onNews, this);
    this._watch = perijove.events.watch();
    this._onProject();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  readonly read = (): Snapshot<Lifecycle> => this._loader.read();

  readonly subscribe = (notice: () => void): (() => void) => {
    this._notices.add(notice);
    return () => {
      this._notices.delete(notice);
    };
  };

  readonly reload = (): void => {
    if (this._path !== null) {
      this._loader.reload();
    }
  };

  dispose(): void {
    this._disposed = true;
    this._perijove.project.changed.disconnect(this._onProject, this);
    this._perijove.events.changed.disconnect(this._onNews, this);
    this._perijove.events.failed.disconnect(this._onNews, this);
    this._watch.dispose();
    this._loader.dispose();
    this._notices.clear();
  }

  private _onProject(): void {
    const { path } = this._perijove.project;
    if (path === this._path) {
      return;
    }
    this._path = path;
    this._loader.dispose();
    this._loader = this._made();
    this._loader.awake = path !== null;
    this._tell();
  }

  private _onNews(): void {
    this._loader.invalidate();
  }

  private _made(): Loader<Lifecycle> {
    const loader = new Loader(signal => this._perijove.client.get('/lifecycle', { signal }));
    loader.subscribe(this._tell);
    return loader;
  }

  private readonly _tell = (): void => {
    this._notices.forEach(notice => notice());
  };

  private readonly _perijove: IPerijove;
  private readonly _watch: IDisposable;
  private readonly _notices = new Set<() => void>();
  private _loader: Loader<Lifecycle>;
  private _path: string | null = null;
  private _disposed = false;
}
