import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import type { Alert } from '../../api';
import type { IPerijove } from '../../api/tokens';
import { services, wrapper } from '../../kit/__tests__/fakes';
import { AlertsModel } from '../alerts';
import AlertsPage from '../components/alerts_page';
import { CommandIDs } from '../tokens';

function alert(id: string, part: Partial<Alert> = {}): Alert {
  return {
    id,
    step: 'data',
    level: 'attention',
    subject: 'data:builds@3',
    title: `${id} is late`,
    detail: 'Nothing came since yesterday.',
    fix: 'Look at the source.',
    since: Date.now(),
    acknowledged_by: '',
    acknowledged_at: null,
    note: '',
    ...part
  };
}

let open: Alert[];
let perijove: IPerijove;

beforeEach(async () => {
  FakeSocket.made = [];
  open = [alert('old')];
  perijove = services({
    'GET /projects': () => ({ items: [{ path: 'one', name: 'One' }] }),
    'GET /alerts': () => ({ items: open })
  });
  await perijove.project.refresh();
});

afterEach(cleanup);

async function model(): Promise<{ model: AlertsModel; raised: string[][] }> {
  const made = new AlertsModel(perijove);
  const raised: string[][] = [];
  made.raised.connect((_, alerts) => raised.push(alerts.map(one => one.id)));
  await waitFor(() => expect(made.items).toHaveLength(open.length));
  return { model: made, raised };
}

describe('the alerts of a project', () => {
  it('are no news when they are old', async () => {
    const { model: made, raised } = await model();
    expect(raised).toEqual([]);
    made.dispose();
  });

  it('are told once when they are raised, and again when they have become worse', async () => {
    const { model: made, raised } = await model();
    open = [alert('new'), alert('newer'), alert('old')];
    perijove.events.announce('data');
    await waitFor(() => expect(raised).toEqual([['new', 'newer']]), { timeout: 3000 });
    open = [alert('new', { level: 'failed' }), alert('newer'), alert('old')];
    perijove.events.announce('data');
    await waitFor(() => expect(raised[1]).toEqual(['new']), { timeout: 3000 });
    expect(made.items).toHaveLength(3);
    made.dispose();
  });
});

describe('the page of alerts', () => {
  it('says what to do, and who looks after what', async () => {
    open = [
      alert('late'),
      alert('broken', { acknowledged_by: 'ann', acknowledged_at: Date.now(), note: 'on it' })
    ];
    const acknowledge = vi.fn();
    perijove.commands.addCommand(CommandIDs.acknowledgeAlert, { execute: acknowledge });
    render(<AlertsPage />, { wrapper: wrapper(perijove) });
    await screen.findByText('late is late');
    expect(screen.getAllByText('Look at the source.')).toHaveLength(2);
    expect(screen.getByText(/ann looks after it/)).toBeTruthy();
    expect(screen.getByText('on it')).toBeTruthy();
    await userEvent
      .setup()
      .click(screen.getByRole('button', { name: 'Acknowledge: late is late' }));
    expect(acknowledge).toHaveBeenCalledWith({ alert: 'late', title: 'late is late' });
    expect(screen.queryByRole('button', { name: /broken/ })).toBeNull();
  });

  it('says that nothing is the matter', async () => {
    open = [];
    render(<AlertsPage />, { wrapper: wrapper(perijove) });
    expect(await screen.findByText('Nothing needs anybody now.')).toBeTruthy();
  });
});
