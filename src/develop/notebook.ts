import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import { PerijoveError, type CurrentProject, type IPerijove } from '../api';
import { cellAt, fileName } from './cells';

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

/** Open a notebook of the project at the cell that ran as this one. */
export async function revealCell(
  app: JupyterFrontEnd,
  { project, trans }: IPerijove,
  notebooks: INotebookTracker | null,
  notebook: string,
  wanted: { number: number; source: string }
): Promise<void> {
  const path = project.absolute(notebook);
  await app.commands.execute('docmanager:open', { path });
  const panel = notebooks?.find(found => project.local(found.context.path) === path);
  if (panel === undefined) {
    return;
  }
  await panel.context.ready;
  await panel.revealed;
  const { content } = panel;
  const cells = content.widgets.map(({ model }) => ({
    code: model.type === 'code',
    number: 'execution_count' in model.sharedModel ? model.sharedModel.execution_count : null,
    source: model.sharedModel.source
  }));
  const index = cellAt(cells, wanted);
  if (index < 0) {
    throw new PerijoveError({
      code: 'cell_gone',
      message: trans.__('%1 has no such cell any more.', notebook),
      hint: trans.__('The page of the run has the cell as it ran.')
    });
  }
  content.activeCellIndex = index;
  await content.scrollToItem(index, 'center');
}

/** Write the cells that made a run beside its notebook, if they are not there, and open them. */
export async function openRunNotebook(
  app: JupyterFrontEnd,
  { client, project }: IPerijove,
  runId: string
): Promise<void> {
  const { contents } = app.serviceManager;
  const [run, content] = await Promise.all([
    client.get('/runs/{run_id}', { path: { run_id: runId } }),
    client.bytes('/runs/{run_id}/notebook', { path: { run_id: runId } })
  ]);
  const { notebook, name } = run.summary;
  const folder = notebook.slice(0, notebook.lastIndexOf('/') + 1);
  const path = project.absolute(`${folder}${fileName(name)}-${runId.slice(0, 8)}.ipynb`);
  const there = await contents.get(path, { content: false }).catch(() => null);
  // One that somebody has changed meanwhile is theirs.
  if (there === null) {
    const cells: unknown = JSON.parse(new TextDecoder().decode(content));
    await contents.save(path, { type: 'notebook', format: 'json', content: cells });
  }
  await app.commands.execute('docmanager:open', { path });
}
