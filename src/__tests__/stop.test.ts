import { Dialog } from '@jupyterlab/apputils';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { FakeSocket } from '../api/__tests__/fake_socket';
import type { IPerijove } from '../api/tokens';
import { services } from '../kit/__tests__/fakes';
import { CommandIDs } from '../operate/tokens';
import { activateAll } from './lab';

// The notebook's own module does not load outside of a browser; a plugin only needs its token.
vi.mock('@jupyterlab/notebook', async () => {
  const { Token } = await import('@lumino/coreutils');
  return {
    INotebookTracker: new Token('@jupyterlab/notebook:INotebookTracker'),
    NotebookActions: {}
  };
});

const asked: { path: string; body: unknown }[] = [];
let perijove: IPerijove;

function note(path: string, answer: unknown) {
  return (init: RequestInit) => {
    asked.push({ path, body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined });
    return answer;
  };
}

/** Press a button of the question that is on screen. */
async function press(name: string): Promise<string> {
  const node = await vi.waitFor(() => {
    const found = document.querySelector<HTMLElement>('.jp-Dialog');
    expect(found).not.toBeNull();
    return found!;
  });
  const text = node.textContent;
  const button = [...node.querySelectorAll('button')].find(one => one.textContent === name);
  expect(button).toBeDefined();
  button!.click();
  return text ?? '';
}

describe('stopping what runs', () => {
  beforeAll(async () => {
    FakeSocket.made = [];
    perijove = services({
      'GET /projects': () => ({ items: [{ path: 'one', name: 'One' }] }),
      'POST /endpoints/builds/stop': note('endpoint', {}),
      'POST /jobs/j1/stop': note('job', { id: 'j1', title: 'hgb-1', state: 'stopped' }),
      'POST /operate/stop': note('activity', { detail: 'It stops.' })
    });
    await perijove.project.refresh();
    await activateAll(perijove);
  });

  it.each([
    ['run', 'a1', 'Stop run hgb-1?', 'Stop run', { kind: 'run', id: 'a1' }],
    ['job', 'j1', 'Stop job hgb-1?', 'Stop job', undefined],
    ['endpoint', 'builds', 'Stop endpoint hgb-1?', 'Stop endpoint', undefined]
  ])('asks the question of the step of a %s, and only then does it', async (...row) => {
    const [kind, id, title, accept, body] = row;
    const stop = () =>
      perijove.commands.execute(CommandIDs.stopActivity, { kind, id, name: 'hgb-1' });
    asked.length = 0;
    const refused = stop();
    expect(await press('Cancel')).toContain(title);
    await refused;
    expect(asked).toEqual([]);
    const done = stop();
    await press(accept);
    await done;
    expect(asked.map(one => one.body)).toEqual([body]);
    Dialog.flush();
  });

  it('has a stopper for everything that Operate calls stoppable', () => {
    for (const kind of ['run', 'job', 'endpoint']) {
      expect(perijove.stoppers.get(kind)?.question({ id: 'x', name: 'x' }).warn).toBe(true);
    }
  });
});
