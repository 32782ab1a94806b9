import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

const ID = 'perijove:data';

export const data: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Datasets, profiles, quality rules and versions.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (_app: JupyterFrontEnd, settings: ISettingRegistry): Promise<void> => {
    await settings.load(ID);
  }
};
