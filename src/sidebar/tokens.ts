import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { ReactNode } from 'react';

/** A part of the sidebar below the steps, folded until somebody opens it. */
export interface ISidebarSection {
  id: string;
  label: string;
  /** Smaller ranks come first. */
  rank: number;
  /** Only called while the section is open. */
  render: () => ReactNode;
  /** How many there are, beside the label; a section with none of them is not shown. */
  count?: ICount;
}

/** A number that changes. */
export interface ICount {
  read: () => number;
  readonly changed: ISignal<unknown, unknown>;
}

/** Where steps add parts to the sidebar. */
export interface ISidebarSections {
  add(section: ISidebarSection): IDisposable;
  readonly items: readonly ISidebarSection[];
  readonly changed: ISignal<ISidebarSections, void>;
}

export const ISidebarSections = new Token<ISidebarSections>(
  'perijove:ISidebarSections',
  'Parts of the Perijove sidebar below the life cycle.'
);

/** Commands that belong to no single step. */
export namespace CommandIDs {
  /** Show the sidebar. */
  export const openSidebar = 'perijove:open-sidebar';
  /** Open what a reference names: `{ ref }`, such as `data:builds@3`. */
  export const open = 'perijove:open';
  /** Ask the server anew for everything that is shown. */
  export const refresh = 'perijove:refresh';
  /** Make another project the current one: `{ path }`. */
  export const switchProject = 'perijove:switch-project';
  /** Make a project in a folder: `{ path? }`. */
  export const createProject = 'perijove:create-project';
  /** Make the example project, or switch to it. */
  export const openExample = 'perijove:open-example';
  /** Open `perijove.toml` of the current project in an editor. */
  export const editProjectFile = 'perijove:edit-project-file';
}
