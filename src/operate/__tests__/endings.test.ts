import { Notification } from '@jupyterlab/apputils';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import type { Job } from '../../api';
import type { IPerijove } from '../../api/tokens';
import { services } from '../../kit/__tests__/fakes';
import { tellEndings } from '../endings';

function job(part: Partial<Job>): Job {
  return {
    id: 'j1',
    kind: 'train',
    title: 'hgb-1',
    subject: 'run:a1@1',
    state: 'finished',
    by: 'ada',
    created: 0,
    started: 1,
    ended: 2,
    pid: null,
    progress: null,
    detail: '',
    exit_code: 0,
    result: {},
    error: null,
    executor: 'local',
    resources: { cpus: 1, gpus: 0, memory: 0 },
    devices: [],
    waiting: '',
    attempt: 1,
    retry_of: '',
    retryable: true,
    resumable: false,
    notebook: '',
    ...part
  };
}

describe('the end of a job', () => {
  let perijove: IPerijove;
  const opened: string[] = [];

  beforeEach(async () => {
    Notification.dismiss();
    FakeSocket.made = [];
    opened.length = 0;
    perijove = services({
      'GET /projects': () => ({ items: [{ path: 'one', name: 'One' }] })
    });
    await perijove.project.refresh();
    perijove.openers.add('run', ({ name }) => {
      opened.push(name);
    });
    tellEndings(perijove);
    await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(1));
    FakeSocket.made[0]!.open();
  });

  function end(part: Partial<Job>): void {
    FakeSocket.made[0]!.tell({ type: 'ended', project: 'one', job: job(part) });
  }

  it('is told, with a way to what it made', () => {
    end({});
    const [told] = Notification.manager.notifications;
    expect(told?.message).toBe('hgb-1 has finished.');
    expect(told?.type).toBe('success');
    const [open] = told?.options.actions ?? [];
    expect(open?.label).toBe('Open run');
    open?.callback(new MouseEvent('click'));
    expect(opened).toEqual(['a1']);
  });

  it('stays on screen when it was a bad one', () => {
    end({ state: 'failed', error: { code: 'x', message: 'No memory.', hint: '' } });
    const [told] = Notification.manager.notifications;
    expect(told?.message).toBe('hgb-1 has failed: No memory.');
    expect(told?.options.autoClose).toBe(false);
    expect(told?.options.actions?.map(one => one.label)).toEqual(['Open job']);
  });

  it('of a rerun says what it proved', () => {
    end({ kind: 'rerun', title: 'Rerun hgb-1', result: { ok: false } });
    const [told] = Notification.manager.notifications;
    expect(told?.message).toContain('not verified');
    expect(told?.type).toBe('warning');
    expect(told?.options.actions?.map(one => one.label)).toContain('Open certificate');
  });

  it('is no news to whoever stopped it', () => {
    end({ state: 'stopped' });
    expect(Notification.manager.count).toBe(0);
  });
});
