import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

const ID = 'perijove:problem';

export const problem: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'The question, its owner and the KPI targets.',
  autoStart: true,
  requires: [ISettingRegistry],
  activate: async (_app: JupyterFrontEnd, settings: ISettingRegistry): Promise<void> => {
    await settings.load(ID);
  }
};
