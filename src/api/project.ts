import type { IStateDB } from '@jupyterlab/statedb';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Client } from './client';
import type { PerijoveError } from './errors';
import { asPerijoveError } from './errors';
import type { ProjectSummary, Request } from './types';

const KEY = 'perijove:project';

/** A path below a folder; null for one that is not. */
function below(folder: string, path: string): string | null {
  if (folder === '') {
    return path;
  }
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
}

/**
 * The project that this tab shows. It changes only when the user says so.
 */
export class CurrentProject {
  constructor(options: CurrentProject.IOptions) {
    this._client = options.client;
    this._state = options.state;
    this._local = options.local ?? (path => path);
  }

  /** The current project, the list of projects or the error has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The projects below the server's root; undefined until the first answer. */
  get list(): readonly ProjectSummary[] | undefined {
    return this._list;
  }

  /** Folder of the current project relative to the server's root; null when there is none. */
  get path(): string | null {
    return this._path;
  }

  /** Why the projects could not be listed. */
  get error(): PerijoveError | undefined {
    return this._error;
  }

  get name(): string {
    return this._list?.find(project => project.path === this._path)?.name ?? this._path ?? '';
  }

  /** A path of JupyterLab without the drive that it may name, such as `RTC:`. */
  local(file: string): string {
    return this._local(file);
  }

  /** A file's path as the project says it; null when it lies elsewhere. */
  relative(file: string): string | null {
    return this._path === null ? null : below(this._path, this.local(file));
  }

  /** Where a file of the project lies, from the server's root. */
  absolute(path: string): string {
    return this._path === null || this._path === '' ? path : `${this._path}/${path}`;
  }

  /**
   * The project that a file belongs to: the innermost of those that it lies in; else the current
   * one, whose server says what it thinks of the file.
   */
  homeOf(file: string): string | null {
    const local = this.local(file);
    const around = (this._list ?? []).filter(({ path }) => below(path, local) !== null);
    around.sort((a, b) => b.path.length - a.path.length);
    return around[0]?.path ?? this._path;
  }

  /** Ask the server which projects there are; keep the current one where it still exists. */
  async refresh(): Promise<void> {
    try {
      const { items } = await this._client.get('/projects');
      this._list = items;
      this._error = undefined;
    } catch (error) {
      this._error = asPerijoveError(error);
      this._changed.emit();
      return;
    }
    const saved = this._path ?? (await this._saved());
    const found = this._list.find(project => project.path === saved) ?? this._list[0];
    this._path = found?.path ?? null;
    this._changed.emit();
  }

  /** Make another project the current one. */
  async select(path: string): Promise<void> {
    if (path === this._path) {
      return;
    }
    this._path = path;
    this._changed.emit();
    await this._state?.save(KEY, path);
  }

  /** Make a project, and make it the current one. */
  async create(request: Request<'ProjectCreate'>): Promise<ProjectSummary> {
    const made = await this._client.post('/projects', { body: request });
    this._list = [...(this._list ?? []).filter(one => one.path !== made.path), made];
    await this.select(made.path);
    return made;
  }

  private async _saved(): Promise<string | null> {
    const saved = await this._state?.fetch(KEY);
    return typeof saved === 'string' ? saved : null;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _client: Client;
  private readonly _local: (path: string) => string;
  private readonly _state: IStateDB | null;
  private _list: ProjectSummary[] | undefined;
  private _path: string | null = null;
  private _error: PerijoveError | undefined;
}

export namespace CurrentProject {
  export interface IOptions {
    client: Client;
    /** Remembers the choice over a reload. */
    state: IStateDB | null;
    /** Takes the drive off a path; paths have none when left out. */
    local?: (path: string) => string;
  }
}
