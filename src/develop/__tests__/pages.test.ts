import { describe, expect, it, vi } from 'vitest';

import type { Request, RunGroup, RunRow, RunTable } from '../../api';
import { RunPages } from '../pages';

function rowOf(index: number, values: Partial<RunRow> = {}): RunRow {
  return {
    run_id: `r${index}`,
    name: `run ${index}`,
    state: 'finished',
    started: index,
    ended: index + 1,
    notebook: '',
    values: [],
    verdict: '',
    progress: null,
    starred: false,
    pinned: false,
    noted: false,
    children: 0,
    parent: '',
    tracked_by: 'perijove',
    ...values
  };
}

function groupOf(value: string | null, runs: number): RunGroup {
  return { value, runs, spreads: [], newest: 0, run_ids: [] };
}

function tableOf(values: Partial<RunTable>): RunTable {
  return {
    rows: [],
    groups: [],
    total: 0,
    runs: 0,
    columns: [],
    best: {},
    understood: null,
    fault: '',
    ...values
  };
}

/** A server with so many runs, in two groups of the same size and one without a value. */
function serverOf(total: number): {
  asked: Request<'RunsRequest'>[];
  fetch: (request: Request<'RunsRequest'>) => Promise<RunTable>;
} {
  const asked: Request<'RunsRequest'>[] = [];
  return {
    asked,
    fetch: request => {
      asked.push(request);
      if (request.search === 'broken') {
        return Promise.resolve(tableOf({ fault: 'At character 1: no.' }));
      }
      const { offset = 0, limit = 100, group_by: by = '', group = null } = request;
      if (by !== '' && group === null) {
        const groups = [groupOf('a', 150), groupOf('b', 150), groupOf(null, 2)];
        return Promise.resolve(tableOf({ groups, total: 3, runs: total }));
      }
      const all = group !== null ? 150 : request.filter == null ? total : 2;
      const count = Math.max(0, Math.min(limit, all - offset));
      const rows = Array.from({ length: count }, (_, index) =>
        rowOf(offset + index, { name: `${group ?? ''}${offset + index}` })
      );
      return Promise.resolve(tableOf({ rows, total: all, runs: total }));
    }
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

describe('RunPages', () => {
  it('asks for the pages that come into view, once each', async () => {
    const server = serverOf(10_000);
    const pages = new RunPages(server.fetch);
    pages.ask({ columns: ['metrics.loss'] });
    await settled();
    expect(pages.read()).toMatchObject({
      lines: 10_000,
      loading: false,
      columns: ['metrics.loss']
    });
    expect(pages.read().line(5000)).toBeUndefined();
    pages.view(4990, 5010);
    pages.view(4991, 5011);
    await settled();
    expect(server.asked.map(({ offset }) => offset)).toEqual([0, 4900, 5000]);
    expect(pages.read().line(5000)).toMatchObject({ kind: 'run', key: 'r5000' });
  });

  it('keeps the lines while another question is asked, and when its words are broken', async () => {
    const server = serverOf(10);
    const pages = new RunPages(server.fetch);
    pages.ask({ search: '' });
    await settled();
    pages.ask({ search: 'broken' });
    expect(pages.read()).toMatchObject({ lines: 10, loading: true });
    await settled();
    expect(pages.read()).toMatchObject({ lines: 10, fault: 'At character 1: no.' });
    pages.ask({ search: 'r' });
    await settled();
    expect(pages.read().fault).toBe('');
  });

  it('puts the runs of open groups between the groups', async () => {
    const server = serverOf(302);
    const pages = new RunPages(server.fetch);
    pages.ask({ group_by: 'params.kind' });
    await settled();
    expect(pages.read().lines).toBe(3);
    const keys = (): (string | undefined)[] =>
      [0, 1, 150, 151, 152, 153, 154, 155].map(index => pages.read().line(index)?.key);
    pages.toggle('group a');
    pages.view(0, 40);
    await settled();
    expect(pages.read().lines).toBe(153);
    expect(keys().slice(0, 2)).toEqual(['group a', 'r0']);
    expect(keys().slice(3, 5)).toEqual(['group b', 'group']);
    pages.view(130, 153);
    await settled();
    expect(pages.read().line(150)).toMatchObject({ kind: 'run', key: 'r149', inGroup: true });

    // Those without a value are asked for by a filter, for no name stands for them.
    pages.toggle('group');
    pages.view(140, 155);
    await settled();
    expect(server.asked.at(-1)).toMatchObject({
      group_by: '',
      filter: { type: 'missing', column: 'params.kind' }
    });
    expect(pages.read().line(154)?.key).toBe('r1');
    pages.toggle('group a');
    expect(pages.read().lines).toBe(5);
  });

  it('asks again for what is in view when runs have changed, at most once a second', async () => {
    vi.useFakeTimers();
    const server = serverOf(10_000);
    const pages = new RunPages(server.fetch);
    pages.ask({});
    await settled();
    pages.view(200, 220);
    await settled();
    server.asked.length = 0;
    pages.refresh();
    pages.refresh();
    pages.refresh();
    await settled();
    expect(server.asked.map(({ offset }) => offset)).toEqual([200]);
    expect(pages.read().line(0)).toBeUndefined();
    vi.advanceTimersByTime(1000);
    await settled();
    expect(server.asked).toHaveLength(2);
    pages.dispose();
    vi.useRealTimers();
  });

  it('keeps its place and its open groups when only other columns are asked for', async () => {
    const server = serverOf(302);
    const pages = new RunPages(server.fetch);
    pages.ask({ group_by: 'params.kind', columns: [] });
    await settled();
    pages.toggle('group b');
    const { question } = pages.read();
    pages.ask({ group_by: 'params.kind', columns: ['metrics.loss'] });
    await settled();
    expect(pages.read()).toMatchObject({ lines: 153, question, columns: ['metrics.loss'] });
  });

  it('shows at once what was written', async () => {
    const pages = new RunPages(serverOf(3).fetch);
    pages.ask({});
    await settled();
    pages.patch(new Set(['r1']), { starred: true });
    expect(pages.read().line(1)).toMatchObject({ row: { starred: true } });
    expect(pages.read().line(2)).toMatchObject({ row: { starred: false } });
  });

  it('tells why it failed, and asks again', async () => {
    const server = serverOf(3);
    let down = true;
    const pages = new RunPages(request =>
      down ? Promise.reject(new Error('gone')) : server.fetch(request)
    );
    pages.ask({});
    await settled();
    expect(pages.read().error?.message).toContain('gone');
    down = false;
    pages.retry();
    await settled();
    expect(pages.read()).toMatchObject({ lines: 3, error: undefined });
  });
});
