import { describe, expect, it } from 'vitest';

import { Client } from '../client';
import { PerijoveError } from '../errors';
import { CurrentProject } from '../project';
import { formatRef, parseRef } from '../refs';

interface Asked {
  url: string;
  init: RequestInit;
}

function clientOf(
  respond: () => Response | Promise<Response>,
  project: string | null = 'team/builds'
): { client: Client; asked: Asked[] } {
  const asked: Asked[] = [];
  const client = new Client({
    root: 'http://jupyter/user/a/perijove/api',
    request: async (url, init) => {
      asked.push({ url, init });
      return respond();
    },
    project: () => project
  });
  return { client, asked };
}

const ok = (): Response => new Response('{"items": []}');

describe('Client', () => {
  it('names the project, the path and the query', async () => {
    const { client, asked } = clientOf(ok);
    await client.get('/datasets/{name}', { path: { name: 'a/b c' } });
    await client.get('/runs', { query: { notebook: 'n.ipynb', limit: 5 } });
    await client.get('/projects');
    await client.get('/runs', { project: 'other' });
    expect(asked.map(one => one.url.slice('http://jupyter/user/a/perijove/api'.length))).toEqual([
      '/datasets/a%2Fb%20c?project=team%2Fbuilds',
      '/runs?project=team%2Fbuilds&notebook=n.ipynb&limit=5',
      '/projects',
      '/runs?project=other'
    ]);
  });

  it('sends a body as JSON', async () => {
    const { client, asked } = clientOf(ok);
    await client.post('/operate/stop', { body: { kind: 'run', id: 'r' } });
    expect(asked[0]?.init).toMatchObject({ method: 'POST', body: '{"kind":"run","id":"r"}' });
  });

  it('refuses to ask about no project', async () => {
    const { client, asked } = clientOf(ok, null);
    await expect(client.get('/runs')).rejects.toMatchObject({ code: 'no_project' });
    expect(asked).toEqual([]);
  });

  it('throws what the server says', async () => {
    const body = { code: 'conflict', message: 'Somebody was faster.', hint: 'Look again.' };
    const { client } = clientOf(() => new Response(JSON.stringify(body), { status: 409 }));
    const error: unknown = await client.get('/project').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(PerijoveError);
    expect(error).toMatchObject({ ...body, status: 409 });
  });

  it('explains an answer that is not ours, and a server that does not answer', async () => {
    const proxy = clientOf(
      () => new Response('<html>', { status: 502, statusText: 'Bad Gateway' })
    );
    await expect(proxy.client.get('/runs')).rejects.toMatchObject({
      code: 'http_502',
      message: 'The server answered 502 Bad Gateway.'
    });
    const gone = clientOf(() => Promise.reject(new TypeError('Failed to fetch')));
    await expect(gone.client.get('/runs')).rejects.toMatchObject({
      code: 'unreachable',
      status: 0
    });
  });

  it('gives bytes as they are', async () => {
    const { client } = clientOf(() => new Response(new Uint8Array([1, 2, 3])));
    const bytes = await client.bytes('/datasets/{name}/rows', { path: { name: 'a' } });
    expect([...new Uint8Array(bytes)]).toEqual([1, 2, 3]);
  });
});

describe('CurrentProject', () => {
  const list = JSON.stringify({
    items: [
      { path: 'one', name: 'One' },
      { path: 'two', name: 'Two' }
    ]
  });

  it('takes the first, then what the user chose, as long as it exists', async () => {
    const { client } = clientOf(() => new Response(list));
    const project = new CurrentProject({ client, state: null });
    expect(project.list).toBeUndefined();
    await project.refresh();
    expect([project.path, project.name]).toEqual(['one', 'One']);
    await project.select('two');
    await project.refresh();
    expect(project.path).toBe('two');
    await project.select('gone');
    await project.refresh();
    expect(project.path).toBe('one');
  });

  it('keeps what it knows when the server is away', async () => {
    let respond = (): Response => new Response(list);
    const { client } = clientOf(() => respond());
    const project = new CurrentProject({ client, state: null });
    await project.refresh();
    respond = () => {
      throw new TypeError('Failed to fetch');
    };
    await project.refresh();
    expect(project.error?.code).toBe('unreachable');
    expect(project.path).toBe('one');
  });
});

describe('references', () => {
  it.each(['data:builds@3', 'run:0f3a@1', 'page:problem'])('reads and writes %s', text => {
    const ref = parseRef(text);
    expect(ref).not.toBeNull();
    expect(formatRef(ref!)).toBe(text);
  });

  it('knows what is none', () => {
    expect(parseRef('builds')).toBeNull();
    expect(parseRef('')).toBeNull();
  });
});
