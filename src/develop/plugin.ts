import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

const ID = 'perijove:develop';

export const develop: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tracked runs, jobs and comparison.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (_app: JupyterFrontEnd, settings: ISettingRegistry): Promise<void> => {
    await settings.load(ID);
  }
};
