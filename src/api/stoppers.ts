import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import type { IStoppers, Stopper } from './tokens';

/** Who stops which kind of activity. */
export class Stoppers implements IStoppers {
  add(kind: string, stopper: Stopper): IDisposable {
    if (this._stoppers.has(kind)) {
      throw new Error(`Activities of kind '${kind}' have a stopper already.`);
    }
    this._stoppers.set(kind, stopper);
    return new DisposableDelegate(() => {
      this._stoppers.delete(kind);
    });
  }

  get(kind: string): Stopper | undefined {
    return this._stoppers.get(kind);
  }

  private readonly _stoppers = new Map<string, Stopper>();
}
