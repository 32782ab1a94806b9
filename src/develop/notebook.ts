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
    const path = file === undefined ? null : this._project.relative(file);
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
