import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, ReactWidget } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';

import { IPerijove, type StepStatus } from '../api';
import { ServicesContext, VisibleContext } from '../kit';
import { deployIcon, developIcon, operateIcon, perijoveIcon } from '../kit/icons';
import { permitInOutputs } from '../kit/lab';
import { addCommands } from './commands';
import { Sidebar } from './components/sidebar';
import { StatusItem } from './components/status_item';
import { LifecycleModel } from './model';
import { RunningActivities, activityLoader } from './running';
import { SidebarSections } from './sections';
import { CommandIDs, ISidebarSections } from './tokens';

const ID = 'perijove:sidebar';

export const sidebar: JupyterFrontEndPlugin<ISidebarSections> = {
  id: ID,
  description: "The sidebar that shows the project's life cycle at a glance.",
  autoStart: true,
  provides: ISidebarSections,
  requires: [IPerijove],
  optional: [
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    IStatusBar,
    IRunningSessionManagers,
    IDefaultFileBrowser,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    statusBar: IStatusBar | null,
    running: IRunningSessionManagers | null,
    browser: IDefaultFileBrowser | null,
    settings: ISettingRegistry | null
  ): ISidebarSections => {
    const { commands, shell } = app;
    const { trans } = perijove;
    const model = new LifecycleModel(perijove);
    const sections = new SidebarSections();

    const panel = new SidebarWidget(perijove, model, sections);
    panel.id = 'perijove-sidebar';
    panel.title.icon = perijoveIcon;
    panel.title.caption = trans.__('Perijove');
    shell.add(panel, 'left', { rank: 300 });
    restorer?.add(panel, panel.id);

    addCommands(app, perijove, browser, model.reload);
    permitInOutputs(CommandIDs.openSidebar);
    commands.addCommand(CommandIDs.openSidebar, {
      label: trans.__('Show Perijove'),
      caption: trans.__("The project's life cycle at a glance"),
      icon: args => (args['isPalette'] === true ? undefined : perijoveIcon),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.activateById(panel.id)
    });
    perijove.openers.add('page', ({ name }) => commands.execute(`perijove:open-${name}`));

    const category = trans.__('Perijove');
    for (const command of [
      CommandIDs.openSidebar,
      CommandIDs.refresh,
      CommandIDs.switchProject,
      CommandIDs.createProject,
      CommandIDs.openExample,
      CommandIDs.editProjectFile
    ]) {
      palette?.addItem({ command, category, args: { isPalette: true } });
    }
    launcher?.add({ command: CommandIDs.openSidebar, category, rank: 0 });

    if (running !== null) {
      const loader = activityLoader(perijove);
      running.add(new RunningActivities(perijove, loader, 'endpoint', deployIcon));
      running.add(new RunningActivities(perijove, loader, 'run', developIcon));
      running.add(new RunningActivities(perijove, loader, 'job', operateIcon));
    }
    if (statusBar !== null) {
      void followSetting(settings, () => addStatusItem(perijove, model, statusBar));
    }
    return sections;
  }
};

/** The sidebar as a widget of the left area. */
class SidebarWidget extends ReactWidget {
  constructor(
    private readonly _perijove: IPerijove,
    private readonly _model: LifecycleModel,
    private readonly _sections: ISidebarSections
  ) {
    super();
    this.addClass('pj-Sidebar');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _perijove.trans.__('Perijove'));
  }

  protected override render(): JSX.Element {
    return (
      <ServicesContext.Provider value={this._perijove}>
        <VisibleContext.Provider value={this.isVisible}>
          <Sidebar
            model={this._model}
            sections={this._sections}
            onOpenStep={step => void this._open(step)}
            onNext={step => void this._next(step)}
            onProjects={anchor => this._showProjects(anchor)}
          />
        </VisibleContext.Provider>
      </ServicesContext.Provider>
    );
  }

  protected override onActivateRequest(_message: Message): void {
    (this.node.querySelector<HTMLElement>('[data-row][tabindex="0"]') ?? this.node).focus();
  }

  protected override onAfterShow(_message: Message): void {
    this.update();
  }

  protected override onAfterHide(_message: Message): void {
    this.update();
  }

  private async _open(step: StepStatus): Promise<void> {
    await this._perijove.commands.execute(`perijove:open-${step.step}`);
  }

  /** A step may have a command for its next thing to do; else its page says how. */
  private async _next(step: StepStatus): Promise<void> {
    const { commands } = this._perijove;
    const own = `perijove:next-${step.step}`;
    await (commands.hasCommand(own) ? commands.execute(own) : this._open(step));
  }

  private _showProjects(anchor: HTMLElement): void {
    const { commands, project } = this._perijove;
    const menu = new MenuSvg({ commands });
    for (const { path } of project.list ?? []) {
      menu.addItem({ command: CommandIDs.switchProject, args: { path } });
    }
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: CommandIDs.createProject });
    menu.addItem({ command: CommandIDs.openExample });
    menu.addItem({ command: CommandIDs.editProjectFile });
    menu.aboutToClose.connect(() => anchor.focus());
    const { left, bottom } = anchor.getBoundingClientRect();
    menu.open(left, bottom);
    void project.refresh();
  }
}

function addStatusItem(
  perijove: IPerijove,
  model: LifecycleModel,
  statusBar: IStatusBar
): IDisposable {
  const item = ReactWidget.create(
    <ServicesContext.Provider value={perijove}>
      <StatusItem
        model={model}
        onClick={() => void perijove.commands.execute(CommandIDs.openSidebar)}
      />
    </ServicesContext.Provider>
  );
  return statusBar.registerStatusItem('perijove:status', { item, align: 'left', rank: 10 });
}

/** Show the status bar's item while the setting says so. */
async function followSetting(
  registry: ISettingRegistry | null,
  show: () => IDisposable
): Promise<void> {
  let shown: IDisposable | null = null;
  const settings = await registry?.load(ID).catch((error: unknown) => {
    console.warn('Perijove: the settings cannot be read', error);
    return undefined;
  });
  const follow = (): void => {
    const wanted = settings?.get('statusBar').composite !== false;
    if (wanted && shown === null) {
      shown = show();
    } else if (!wanted) {
      shown?.dispose();
      shown = null;
    }
  };
  settings?.changed.connect(follow);
  follow();
}
