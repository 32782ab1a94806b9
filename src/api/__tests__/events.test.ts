import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EventStream } from '../events';
import type { Changed, Resources } from '../types';
import { STEPS } from '../types';
import { FakeSocket } from './fake_socket';

let stream: EventStream;

function sent(): unknown[] {
  return FakeSocket.last.sent.map(text => JSON.parse(text) as unknown);
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

describe('EventStream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.made = [];
    stream = new EventStream({
      url: 'ws://jupyter/perijove/api/events',
      open: () => new FakeSocket() as unknown as WebSocket,
      document,
      random: () => 0.5
    });
  });

  afterEach(() => {
    stream.dispose();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('connects when there is both a project and a subscriber, and leaves with the last', async () => {
    stream.project = 'one';
    await settle();
    expect(FakeSocket.made).toHaveLength(0);
    const watch = stream.watch();
    await settle();
    FakeSocket.last.open();
    expect(stream.isConnected).toBe(true);
    watch.dispose();
    await settle();
    expect(FakeSocket.last.readyState).toBe(3);
    expect(stream.isConnected).toBe(false);
  });

  it('merges what its subscribers want into one message', async () => {
    stream.project = 'one';
    const first = stream.watch({ runs: ['b', 'a'] });
    const second = stream.watch({ runs: ['a'], resources: true });
    await settle();
    FakeSocket.last.open();
    expect(sent()).toEqual([{ type: 'watch', project: 'one', runs: ['a', 'b'], resources: true }]);
    second.dispose();
    first.update({ runs: ['c'] });
    await settle();
    expect(sent()[1]).toEqual({ type: 'watch', project: 'one', runs: ['c'], resources: false });
    first.update({ runs: ['c'] });
    await settle();
    expect(sent()).toHaveLength(2);
  });

  it('wants no points and no load while the tab is hidden', async () => {
    stream.project = 'one';
    stream.watch({ runs: ['a'], resources: true });
    await settle();
    FakeSocket.last.open();
    const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    expect(sent()[1]).toMatchObject({ runs: [], resources: false });
    visibility.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    expect(sent()[2]).toMatchObject({ runs: ['a'], resources: true });
  });

  it('tells its signals what arrives, but nothing of a project that was left', async () => {
    const changes: Changed[] = [];
    const loads: Resources[] = [];
    stream.changed.connect((_, event) => changes.push(event));
    stream.load.connect((_, event) => loads.push(event.resources));
    stream.project = 'one';
    stream.watch();
    await settle();
    FakeSocket.last.open();
    FakeSocket.last.tell({ type: 'changed', project: 'one', topics: ['data'] });
    FakeSocket.last.tell({ type: 'changed', project: 'other', topics: ['data'] });
    const resources = { cpu_percent: 3 } as Resources;
    FakeSocket.last.tell({ type: 'load', project: 'one', resources });
    expect(changes).toEqual([{ type: 'changed', project: 'one', topics: ['data'] }]);
    expect(loads).toEqual([resources]);
  });

  it('comes back after a lost connection, later each time, and announces everything', async () => {
    const topics: string[][] = [];
    stream.changed.connect((_, event) => topics.push(event.topics));
    stream.project = 'one';
    stream.watch({ runs: ['a'] });
    await settle();
    FakeSocket.last.open();
    FakeSocket.last.fail();
    await vi.advanceTimersByTimeAsync(499);
    expect(FakeSocket.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.fail();
    await vi.advanceTimersByTimeAsync(999);
    expect(FakeSocket.made).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.made).toHaveLength(3);
    expect(topics).toEqual([]);
    FakeSocket.last.open();
    expect(topics).toEqual([[...STEPS]]);
    expect(sent()).toEqual([{ type: 'watch', project: 'one', runs: ['a'], resources: false }]);
  });

  it('says nothing more once it is disposed', async () => {
    stream.project = 'one';
    stream.watch();
    await settle();
    FakeSocket.last.open();
    FakeSocket.last.fail();
    stream.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(1);
  });
});
