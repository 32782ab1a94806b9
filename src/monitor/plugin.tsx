import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, InputDialog, Notification } from '@jupyterlab/apputils';
import { lazy } from 'react';

import { IPerijove, type Alert } from '../api';
import { IEndpointTabs } from '../deploy/tokens';
import { monitorIcon, notifyDone, perform, registerPage, type PageHost } from '../kit/lab';
import { ISidebarSections } from '../sidebar/tokens';
import { AlertsModel } from './alerts';
import { CommandIDs } from './tokens';

const ReportTab = lazy(() => import('./components/report_tab'));
const AlertsSection = lazy(() => import('./components/alerts_section'));

export const monitor: JupyterFrontEndPlugin<void> = {
  id: 'perijove:monitor',
  description: 'Watch endpoints: requests, latency, errors, drift and live KPIs; alerts.',
  autoStart: true,
  requires: [IPerijove, IEndpointTabs],
  optional: [ILayoutRestorer, ICommandPalette, ISidebarSections],
  activate: (
    app: JupyterFrontEnd,
    perijove: IPerijove,
    tabs: IEndpointTabs,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    sections: ISidebarSections | null
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
    addAlerts(app, perijove, sections, { restorer, palette });
  }
};

/** The page of the alerts, their part of the sidebar, and the word of a new one. */
function addAlerts(
  app: JupyterFrontEnd,
  perijove: IPerijove,
  sections: ISidebarSections | null,
  host: PageHost
): void {
  const { client, commands, events, trans } = perijove;
  registerPage(
    app,
    perijove,
    {
      kind: 'alerts',
      label: trans.__('Open Alerts'),
      caption: trans.__('What needs a person, and who looks after it'),
      icon: monitorIcon,
      load: () => import('./components/alerts_page'),
      title: () => trans.__('Alerts')
    },
    host
  );
  commands.addCommand(CommandIDs.acknowledgeAlert, {
    label: trans.__('Acknowledge Alert'),
    describedBy: {
      args: {
        type: 'object',
        required: ['alert'],
        properties: {
          alert: { type: 'string', description: 'The identifier of the alert' },
          title: { type: 'string', description: 'What the question calls it' }
        }
      }
    },
    execute: args =>
      perform(async () => {
        const { alert, title } = args;
        if (typeof alert !== 'string') {
          return;
        }
        const { button, value } = await InputDialog.getText({
          title: trans.__('Acknowledge “%1”?', typeof title === 'string' ? title : alert),
          label: trans.__(
            'Your name goes beside it, so that the others know that you look after it.'
          ),
          placeholder: trans.__('Note (may stay empty)'),
          okLabel: trans.__('Acknowledge')
        });
        if (button.accept) {
          await client.post('/alerts/{alert}/acknowledge', {
            path: { alert },
            body: { note: (value ?? '').trim() }
          });
          events.announce('monitor');
          notifyDone(trans.__('The others see that you look after it.'));
        }
      })
  });
  const model = new AlertsModel(perijove);
  model.raised.connect((_, raised) => tell(perijove, raised));
  sections?.add({
    id: 'alerts',
    label: trans.__('Alerts'),
    rank: 0,
    count: { read: () => model.items.length, changed: model.changed },
    render: () => <AlertsSection model={model} />
  });
}

/** One notification, however many were raised at once. */
function tell(perijove: IPerijove, raised: readonly Alert[]): void {
  const { commands, openers, trans } = perijove;
  const [first] = raised;
  if (first === undefined) {
    return;
  }
  const text =
    raised.length === 1
      ? [first.title, first.detail].filter(Boolean).join('\n')
      : trans.__('%1 and %2 more alerts', first.title, raised.length - 1);
  const actions: Notification.IAction[] = [
    {
      label: trans.__('Alerts'),
      callback: () => void commands.execute(CommandIDs.openAlerts)
    }
  ];
  if (raised.length === 1 && openers.has(first.subject.split(':')[0] ?? '')) {
    actions.push({
      label: trans.__('Open'),
      callback: () => void perform(() => openers.open(first.subject))
    });
  }
  const worst = raised.some(alert => alert.level === 'failed') ? 'error' : 'warning';
  Notification.emit(text, worst, { autoClose: false, actions });
}
