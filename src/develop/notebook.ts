import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { CurrentProject } from '../api';

/** The notebook that the user is in, by its path relative to the current project. */
export class CurrentNotebook {
  constructor(tracker: INotebookTracker | null, project: CurrentProject) {
    this._tracker = tracker;
    this._project = project;
    tracker?.currentChanged.connect((_, panel) => {
      panel?.context.pathChanged.connect(this._tell, this);
      this._tell();
    });
    project.changed.connect(this._tell, this);
    this._tell();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Null when there is none, or when it lies outside of the project. */
  get path(): string | null {
    return this._path;
  }

  private _tell(): void {
    const file = this._tracker?.currentWidget?.context.path;
    const path = file === undefined ? null : withinProject(file, this._project.path);
    if (path !== this._path) {
      this._path = path;
      this._changed.emit();
    }
  }

  private readonly _tracker: INotebookTracker | null;
  private readonly _project: CurrentProject;
  private readonly _changed = new Signal<this, void>(this);
  private _path: string | null = null;
}

/** A file's path as the project says it; null when it lies elsewhere. */
export function withinProject(file: string, project: string | null): string | null {
  // A path of another drive than the default one begins with the drive's name.
  const local = file.replace(/^[^/:]+:/, '');
  if (project === null) {
    return null;
  }
  if (project === '') {
    return local;
  }
  return local.startsWith(project + '/') ? local.slice(project.length + 1) : null;
}

/** Where a file of the project lies below the server's root. */
export function inServer(path: string, project: string | null): string {
  return project ? `${project}/${path}` : path;
}
