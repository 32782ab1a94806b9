import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

const ID = 'perijove:deploy';

export const deploy: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Models, endpoints and revisions.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (_app: JupyterFrontEnd, settings: ISettingRegistry): Promise<void> => {
    await settings.load(ID);
  }
};
