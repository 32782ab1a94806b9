import { Signal, type ISignal } from '@lumino/signaling';

/** The runs that are chosen on the page of runs, for the commands that are about them. */
export class RunSelection {
  get ids(): readonly string[] {
    return this._ids;
  }

  set ids(ids: readonly string[]) {
    this._ids = ids;
    this._changed.emit();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _ids: readonly string[] = [];
  private readonly _changed = new Signal<this, void>(this);
}
