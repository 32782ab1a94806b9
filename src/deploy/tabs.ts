import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IEndpointTab, IEndpointTabs } from './tokens';

export class EndpointTabs implements IEndpointTabs {
  add(tab: IEndpointTab): IDisposable {
    if (this._tabs.some(({ id }) => id === tab.id)) {
      throw new Error(`The endpoint page has a tab "${tab.id}" already.`);
    }
    this._set([...this._tabs, tab].sort((a, b) => a.order - b.order));
    return new DisposableDelegate(() => this._set(this._tabs.filter(other => other !== tab)));
  }

  items(): readonly IEndpointTab[] {
    return this._tabs;
  }

  get changed(): ISignal<IEndpointTabs, void> {
    return this._changed;
  }

  private _set(tabs: readonly IEndpointTab[]): void {
    this._tabs = tabs;
    this._changed.emit();
  }

  private _tabs: readonly IEndpointTab[] = [];
  private readonly _changed = new Signal<IEndpointTabs, void>(this);
}
