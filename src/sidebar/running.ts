import type { IRunningSessions } from '@jupyterlab/running';
import { closeIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Activity, Changed, IPerijove } from '../api';
import { bytes } from '../kit';
import { Loader } from '../kit/loader';
import { perform } from '../kit/act';
import { CommandIDs as OperateIDs } from '../operate/tokens';
import { CommandIDs } from './tokens';

/** Running runs, or endpoints, for JupyterLab's panel of what is running. */
export class RunningActivities implements IRunningSessions.IManager {
  constructor(
    perijove: IPerijove,
    loader: Loader<readonly Activity[]>,
    kind: 'run' | 'endpoint' | 'job',
    icon: LabIcon
  ) {
    const { trans } = perijove;
    this._perijove = perijove;
    this._loader = loader;
    this._kind = kind;
    this._icon = icon;
    const words = WORDS[kind](trans);
    this.name = words.name;
    this.shutdownLabel = words.stop;
    this.shutdownAllLabel = words.stopAll;
    this.shutdownAllConfirmationText = words.sure;
    loader.subscribe(() => this._changed.emit());
  }

  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;
  readonly shutdownItemIcon = closeIcon;

  get runningChanged(): ISignal<this, void> {
    return this._changed;
  }

  running(): IRunningSessions.IRunningItem[] {
    return this._activities().map(activity => ({
      icon: () => this._icon,
      label: () => activity.name,
      labelTitle: () => [activity.name, activity.detail].filter(Boolean).join('\n'),
      detail: () => (activity.memory === null ? '' : bytes(activity.memory)),
      open: () => {
        void this._perijove.commands.execute(CommandIDs.open, {
          ref: `${activity.kind}:${activity.id}`
        });
      },
      ...(activity.stoppable && { shutdown: () => void this._ask(activity) })
    }));
  }

  refreshRunning(): void {
    this._loader.invalidate();
  }

  shutdownAll(): void {
    void this._stopAll(this._activities().filter(activity => activity.stoppable));
  }

  private _activities(): Activity[] {
    return (this._loader.read().data ?? []).filter(activity => activity.kind === this._kind);
  }

  private async _ask({ kind, id, name }: Activity): Promise<void> {
    await this._perijove.commands.execute(OperateIDs.stopActivity, { kind, id, name });
    this._loader.invalidate();
  }

  /** The panel has asked already, once for all of them. */
  private async _stopAll(activities: readonly Activity[]): Promise<void> {
    const stopper = this._perijove.stoppers.get(this._kind);
    for (const activity of activities) {
      await perform(async () => stopper?.stop(activity));
    }
    this._loader.invalidate();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _perijove: IPerijove;
  private readonly _loader: Loader<readonly Activity[]>;
  private readonly _kind: 'run' | 'endpoint' | 'job';
  private readonly _icon: LabIcon;
}

interface Words {
  name: string;
  stop: string;
  stopAll: string;
  sure: string;
}

const WORDS: Record<'run' | 'endpoint' | 'job', (trans: IPerijove['trans']) => Words> = {
  run: trans => ({
    name: trans.__('Training Runs'),
    stop: trans.__('Stop Run'),
    stopAll: trans.__('Stop All Runs'),
    sure: trans.__('All runs of this project stop. What they have logged stays.')
  }),
  endpoint: trans => ({
    name: trans.__('Model Endpoints'),
    stop: trans.__('Stop Endpoint'),
    stopAll: trans.__('Stop All Endpoints'),
    sure: trans.__('All endpoints of this project stop answering. They can be started again.')
  }),
  job: trans => ({
    name: trans.__('Jobs'),
    stop: trans.__('Stop Job'),
    stopAll: trans.__('Stop All Jobs'),
    sure: trans.__(
      'All jobs of this project stop. What trainings have logged stays; what others have made so far is not kept.'
    )
  })
};

/** Ask for what runs, once for all sections of the panel. */
export function activityLoader(perijove: IPerijove): Loader<readonly Activity[]> {
  const { client, events, project } = perijove;
  const loader = new Loader<readonly Activity[]>(
    async signal =>
      project.path === null ? [] : (await client.get('/operate', { signal })).activities,
    2000
  );
  events.changed.connect((_: unknown, event: Changed) => {
    if (event.topics.some(topic => ['develop', 'deploy', 'operate'].includes(topic))) {
      loader.invalidate();
    }
  });
  let path: string | null = null;
  project.changed.connect(() => {
    if (project.path !== path) {
      path = project.path;
      loader.awake = true;
      loader.invalidate();
    }
  });
  return loader;
}
