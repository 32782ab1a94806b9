import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import type { Client } from './client';
import type { EventStream } from './events';
import type { CurrentProject } from './project';
import type { Ref } from './refs';

export type Opener = (ref: Ref) => void | Promise<unknown>;

/** Where steps say how their references are opened, so that none has to import another. */
export interface IOpeners {
  /** Open references of a kind, such as `data`, with this function. */
  add(kind: string, opener: Opener): IDisposable;
  has(kind: string): boolean;
  /** Open `kind:name@version`; rejects with a `PerijoveError` when nobody can. */
  open(ref: string): Promise<void>;
}

export const IOpeners = new Token<IOpeners>(
  'perijove:IOpeners',
  'Opens references of the chain, such as data:builds@3.'
);

/** Something that runs, as the one who stops it knows it. */
export interface StopTarget {
  id: string;
  /** What it is called; its identifier where that is all there is. */
  name: string;
}

/** What is asked before something is stopped. */
export interface StopQuestion {
  title: string;
  body: string;
  accept: string;
  warn: true;
}

/** How a step stops what it runs. */
export interface Stopper {
  question(target: StopTarget): StopQuestion;
  /** Stop it, and say so in a sentence. */
  stop(target: StopTarget): Promise<string>;
}

/** Where steps say how what they run is stopped, so that it is asked and done one way. */
export interface IStoppers {
  /** Stop activities of a kind, such as `endpoint`, this way. */
  add(kind: string, stopper: Stopper): IDisposable;
  get(kind: string): Stopper | undefined;
}

/** What every part of the front end shares. */
export interface IPerijove {
  readonly client: Client;
  readonly events: EventStream;
  readonly project: CurrentProject;
  readonly openers: IOpeners;
  readonly stoppers: IStoppers;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  /** Shows Markdown as JupyterLab does; null where there is no such thing. */
  readonly rendermime: IRenderMimeRegistry | null;
}

export const IPerijove = new Token<IPerijove>(
  'perijove:IPerijove',
  "The client of Perijove's server, its event stream and the current project."
);
