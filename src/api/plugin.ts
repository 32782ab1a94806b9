import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ServerConnection } from '@jupyterlab/services';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Client } from './client';
import { EventStream } from './events';
import { speak } from './language';
import { Openers } from './openers';
import { CurrentProject } from './project';
import { Stoppers } from './stoppers';
import { IOpeners, IPerijove } from './tokens';

export const openers: JupyterFrontEndPlugin<IOpeners> = {
  id: 'perijove:openers',
  description: 'Opens references of the chain.',
  provides: IOpeners,
  activate: () => new Openers()
};

export const api: JupyterFrontEndPlugin<IPerijove> = {
  id: 'perijove:api',
  description: "The client of Perijove's server, its event stream and the current project.",
  provides: IPerijove,
  requires: [IOpeners],
  optional: [IStateDB, ITranslator, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    opens: IOpeners,
    state: IStateDB | null,
    translator: ITranslator | null,
    rendermime: IRenderMimeRegistry | null
  ): IPerijove => {
    const settings = app.serviceManager.serverSettings;
    const trans = (translator ?? nullTranslator).load('perijove');
    speak(trans);
    const client: Client = new Client({
      root: URLExt.join(settings.baseUrl, 'perijove', 'api'),
      request: (url, init) => ServerConnection.makeRequest(url, init, settings),
      project: () => project.path
    });
    const project: CurrentProject = new CurrentProject({
      client,
      state,
      local: path => app.serviceManager.contents.localPath(path)
    });
    const events = new EventStream({
      url: URLExt.join(settings.wsUrl, 'perijove', 'api', 'events'),
      open: url => new settings.WebSocket(url),
      document
    });
    project.changed.connect(() => {
      events.project = project.path;
    });
    void app.restored.then(() => project.refresh());
    return {
      client,
      events,
      project,
      openers: opens,
      stoppers: new Stoppers(),
      commands: app.commands,
      trans,
      rendermime
    };
  }
};
