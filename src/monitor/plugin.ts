import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

const ID = 'perijove:monitor';

export const monitor: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Latency, errors, drift and outcomes.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (_app: JupyterFrontEnd, settings: ISettingRegistry): Promise<void> => {
    await settings.load(ID);
  }
};
