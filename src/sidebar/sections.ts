import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { ISidebarSection, ISidebarSections } from './tokens';

/** The parts of the sidebar below the life cycle, in the order of their ranks. */
export class SidebarSections implements ISidebarSections {
  get items(): readonly ISidebarSection[] {
    return this._items;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  add(section: ISidebarSection): IDisposable {
    this._items = [...this._items, section].sort((a, b) => a.rank - b.rank);
    this._changed.emit();
    return new DisposableDelegate(() => {
      this._items = this._items.filter(other => other !== section);
      this._changed.emit();
    });
  }

  private _items: readonly ISidebarSection[] = [];
  private readonly _changed = new Signal<this, void>(this);
}
