/** What other steps may know of deploying. */

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { ReactNode } from 'react';

import type { Endpoint } from '../api';

/** Commands of this step. Each asks the user before it has an effect. */
export namespace CommandIDs {
  /** Open the form that deploys a model: `{ model?: ref, endpoint?: name }`. */
  export const deployModel = 'perijove:deploy-model';
  /** Open the list of endpoints and models. */
  export const openDeploy = 'perijove:open-deploy';
  /** Open the page of an endpoint: `{ name, tab? }`. */
  export const openEndpoint = 'perijove:open-endpoint';
  /** Open the page of a model version: `{ ref }`. */
  export const openModel = 'perijove:open-model';
  /** Stop an endpoint: `{ name }`. */
  export const stopEndpoint = 'perijove:stop-endpoint';
  /** Start a stopped endpoint: `{ name }`. */
  export const startEndpoint = 'perijove:start-endpoint';
  /** Let an earlier revision answer again: `{ name, revision }`. */
  export const rollBackEndpoint = 'perijove:roll-back-endpoint';
  /** Make a model that a run logged a version: `{ run_id, path?, name? }`. */
  export const registerModel = 'perijove:register-model';
  /** Let an alias stand for a version: `{ ref, alias? }`; the alias is asked for when left out. */
  export const setAlias = 'perijove:set-model-alias';
  /** Remove an alias of a model: `{ ref, alias }`. */
  export const removeAlias = 'perijove:remove-model-alias';
  /** Make a version the champion of its model: `{ ref }`. */
  export const promoteModel = 'perijove:promote-model';
}

/** A tab of the endpoint page. */
export interface IEndpointTab {
  /** A stable word; the page restores the tab by it. */
  readonly id: string;
  readonly label: string;
  /** Tabs stand in this order, least first. */
  readonly order: number;
  /** Draw the tab. It is mounted only while it is the one that is shown. */
  render(context: IEndpointTabContext): ReactNode;
}

export interface IEndpointTabContext {
  /** The endpoint as it stands; drawn again when it changes. */
  readonly endpoint: Endpoint;
  /** Show another tab. */
  readonly select: (id: string) => void;
}

/** The tabs of the endpoint page, to which any step may add its own. */
export interface IEndpointTabs {
  /**
   * Add a tab.
   *
   * @returns what takes it away again.
   * @throws when a tab of that id is there.
   */
  add(tab: IEndpointTab): IDisposable;
  /** The tabs in their order. */
  items(): readonly IEndpointTab[];
  readonly changed: ISignal<IEndpointTabs, void>;
}

export const IEndpointTabs = new Token<IEndpointTabs>(
  'perijove:IEndpointTabs',
  'The tabs of the endpoint page.'
);
