import { describe, expect, it } from 'vitest';

import { Pages, type IPagesOptions } from '../rows/pages';

/** A server whose answers come when the test says so. */
class Server {
  readonly asked: number[] = [];

  readonly load = (chunk: number): Promise<string> => {
    this.asked.push(chunk);
    return new Promise((resolve, reject) => {
      this._open.set(chunk, { resolve, reject });
    });
  };

  async answer(chunk: number): Promise<void> {
    this._take(chunk).resolve(`rows of ${chunk}`);
    await settled();
  }

  async fail(chunk: number): Promise<void> {
    this._take(chunk).reject(new Error(`no ${chunk}`));
    await settled();
  }

  private _take(chunk: number): { resolve(page: string): void; reject(error: Error): void } {
    const found = this._open.get(chunk)!;
    this._open.delete(chunk);
    return found;
  }

  private readonly _open = new Map<
    number,
    { resolve(page: string): void; reject(error: Error): void }
  >();
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await Promise.resolve();
  }
}

function pagesOf(options: Partial<IPagesOptions<string>> = {}): {
  server: Server;
  pages: Pages<string>;
  arrived: number[];
} {
  const server = new Server();
  const arrived: number[] = [];
  const pages = new Pages<string>({
    load: server.load,
    arrived: chunk => arrived.push(chunk),
    ...options
  });
  return { server, pages, arrived };
}

describe('Pages', () => {
  it('asks once for a chunk, however often it is painted', async () => {
    const { server, pages, arrived } = pagesOf();
    expect(pages.get(0)).toBeUndefined();
    expect(pages.get(0)).toBeUndefined();
    await server.answer(0);
    expect(pages.get(0)).toBe('rows of 0');
    expect(server.asked).toEqual([0]);
    expect(arrived).toEqual([0]);
  });

  it('shares one load between a painter and a copier', async () => {
    const { server, pages } = pagesOf();
    pages.get(3);
    const copied = pages.fetch(3);
    await server.answer(3);
    expect(await copied).toBe('rows of 3');
    expect(server.asked).toEqual([3]);
  });

  it('asks for what is looked at now first, and forgets what is long out of view', async () => {
    const { server, pages } = pagesOf({ concurrency: 1 });
    for (let chunk = 0; chunk <= 9; chunk++) {
      pages.get(chunk);
    }
    expect(server.asked).toEqual([0]);
    await server.answer(0);
    await server.answer(9);
    await server.answer(8);
    await server.answer(7);
    await server.answer(6);
    expect(server.asked).toEqual([0, 9, 8, 7, 6]);
    expect(pages.get(2)).toBeUndefined();
    expect(server.asked).toEqual([0, 9, 8, 7, 6, 2]);
  });

  it('drops the chunk that was seen longest ago', async () => {
    const { server, pages } = pagesOf({ capacity: 2, concurrency: 9 });
    for (const chunk of [0, 1]) {
      pages.get(chunk);
      await server.answer(chunk);
    }
    pages.get(0);
    pages.get(2);
    await server.answer(2);
    expect(pages.get(0)).toBe('rows of 0');
    expect(pages.get(2)).toBe('rows of 2');
    expect(pages.get(1)).toBeUndefined();
  });

  it('does not ask again for what failed, until it is told to', async () => {
    const reasons: unknown[] = [];
    const { server, pages } = pagesOf({ failed: error => reasons.push(error) });
    pages.get(5);
    await server.fail(5);
    expect(pages.get(5)).toBeUndefined();
    expect(server.asked).toEqual([5]);
    expect(pages.error).toEqual(new Error('no 5'));
    pages.retry();
    expect(server.asked).toEqual([5, 5]);
    await server.answer(5);
    expect(pages.get(5)).toBe('rows of 5');
    expect(pages.error).toBeUndefined();
    expect(reasons).toEqual([new Error('no 5'), undefined]);
  });

  it('asks for nothing and tells nothing once it is disposed of', async () => {
    const { server, pages } = pagesOf();
    pages.get(0);
    pages.dispose();
    await server.answer(0);
    expect(pages.get(0)).toBeUndefined();
    expect(server.asked).toEqual([0]);
  });
});
