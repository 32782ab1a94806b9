import { describe, expect, it } from 'vitest';

import type { Client } from '../client';
import { CurrentProject } from '../project';

async function project(current: string | null, paths: readonly string[]): Promise<CurrentProject> {
  const items = paths.map(path => ({ path, name: path }));
  const made = new CurrentProject({
    client: { get: () => Promise.resolve({ items }) } as unknown as Client,
    state: null,
    local: path => path.replace(/^RTC:/, '')
  });
  await made.refresh();
  if (current !== null) {
    await made.select(current);
  }
  return made;
}

describe('paths of the current project', () => {
  it('are relative to its folder, whatever drive says them', async () => {
    const made = await project('ci', ['ci', 'ci-2']);
    expect(made.relative('ci/notebooks/a.ipynb')).toBe('notebooks/a.ipynb');
    expect(made.relative('RTC:ci/notebooks/a.ipynb')).toBe('notebooks/a.ipynb');
    expect(made.relative('ci-2/a.ipynb')).toBeNull();
    expect(made.absolute('notebooks/a.ipynb')).toBe('ci/notebooks/a.ipynb');
  });

  it("are the server's own where its root is the project", async () => {
    const made = await project('', ['']);
    expect(made.relative('a.ipynb')).toBe('a.ipynb');
    expect(made.absolute('a.ipynb')).toBe('a.ipynb');
  });

  it('are none without a project', async () => {
    expect((await project(null, [])).relative('a.ipynb')).toBeNull();
  });
});

describe('the project of a file', () => {
  it('is the innermost one that it lies in', async () => {
    const made = await project('c', ['c', 'a', 'a/b', 'a/bc']);
    expect(made.homeOf('a/b/data.csv')).toBe('a/b');
    expect(made.homeOf('RTC:a/b/data.csv')).toBe('a/b');
  });

  it("is the server's root where that is a project", async () => {
    expect((await project('c', ['', 'c'])).homeOf('data.csv')).toBe('');
  });

  it('is the current one when the file lies in none', async () => {
    expect((await project('c', ['c'])).homeOf('elsewhere/data.csv')).toBe('c');
    expect((await project(null, [])).homeOf('elsewhere/data.csv')).toBeNull();
  });
});
