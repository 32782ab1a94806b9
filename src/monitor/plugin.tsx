import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { lazy } from 'react';

import { IPerijove } from '../api';
import { IEndpointTabs } from '../deploy/tokens';
import { monitorIcon, registerPage } from '../kit/lab';

const ReportTab = lazy(() => import('./components/report_tab'));

export const monitor: JupyterFrontEndPlugin<void> = {
  id: 'perijove:monitor',
  description: 'Watch endpoints: requests, latency, errors, drift and live KPIs.',
  autoStart: true,
  requires: [IPerijove, IEndpointTabs],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    tabs: IEndpointTabs,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = perijove;
    registerPage(
      app,
      perijove,
      {
        kind: 'monitor',
        label: trans.__('Open Monitor'),
        caption: trans.__('How the endpoints of this project do'),
        icon: monitorIcon,
        load: () => import('./components/monitor_page'),
        title: () => trans.__('Monitor')
      },
      { restorer, palette }
    );
    tabs.add({
      id: 'monitor',
      label: trans.__('Monitor'),
      order: 0,
      render: ({ endpoint, select }) => (
        <ReportTab endpoint={endpoint} onTry={() => select('try')} />
      )
    });
  }
};
