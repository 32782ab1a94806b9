import { PerijoveError, asPerijoveError, errorOf, isAbort } from './errors';
import { spoken } from './language';
import type { Full } from './types';
import type { paths } from './wire';

type Method = 'get' | 'post' | 'put' | 'delete';
type Path = keyof paths;

/** The paths that answer a method. */
type PathOf<M extends Method> = {
  [P in Path]: paths[P][M] extends { responses: unknown } ? P : never;
}[Path];

type Parameters<P extends Path, M extends Method> = paths[P][M] extends {
  parameters: infer Found;
}
  ? Found
  : never;

type QueryOf<P extends Path, M extends Method> =
  Parameters<P, M> extends { query: infer Query } ? Omit<Query, 'project'> : unknown;

type WithQuery<Query> = unknown extends Query
  ? unknown
  : keyof Query extends never
    ? unknown
    : Record<string, never> extends Query
      ? { query?: Query }
      : { query: Query };

type WithPath<Found> = Found extends { path: infer Values } ? { path: Values } : unknown;

type WithBody<Operation> = Operation extends {
  requestBody: { content: { 'application/json': infer Body } };
}
  ? { body: Body }
  : unknown;

interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal;
  /** Another project than the current one. */
  project?: string;
}

export type Options<P extends Path, M extends Method> = CallOptions &
  WithQuery<QueryOf<P, M>> &
  WithPath<Parameters<P, M>> &
  WithBody<paths[P][M]>;

type Arguments<O> = Record<string, never> extends O ? [options?: O] : [options: O];

export type Reply<P extends Path, M extends Method> = paths[P][M] extends {
  responses: { 200: { content: { 'application/json': infer Answer } } };
}
  ? Full<Answer>
  : never;

/** The calls that are about no project. */
const GLOBAL: ReadonlySet<Path> = new Set<Path>(['/projects', '/metrics']);

interface Call extends CallOptions {
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
}

/**
 * The one client of the REST interface, typed by the routes that the server declares.
 *
 * Every failure is a {@link PerijoveError}, but for a call that its caller gave up: that one
 * throws the `AbortError` of the platform.
 */
export class Client {
  constructor(options: Client.IOptions) {
    this._request = options.request;
    this._root = options.root;
    this._project = options.project;
  }

  get<P extends PathOf<'get'>>(
    path: P,
    ...args: Arguments<Options<P, 'get'>>
  ): Promise<Reply<P, 'get'>> {
    return this._json<Reply<P, 'get'>>('GET', path, args[0]);
  }

  post<P extends PathOf<'post'>>(
    path: P,
    ...args: Arguments<Options<P, 'post'>>
  ): Promise<Reply<P, 'post'>> {
    return this._json<Reply<P, 'post'>>('POST', path, args[0]);
  }

  put<P extends PathOf<'put'>>(
    path: P,
    ...args: Arguments<Options<P, 'put'>>
  ): Promise<Reply<P, 'put'>> {
    return this._json<Reply<P, 'put'>>('PUT', path, args[0]);
  }

  delete<P extends PathOf<'delete'>>(
    path: P,
    ...args: Arguments<Options<P, 'delete'>>
  ): Promise<Reply<P, 'delete'>> {
    return this._json<Reply<P, 'delete'>>('DELETE', path, args[0]);
  }

  /** The bytes of an answer that is no JSON, such as rows in Arrow. */
  async bytes<P extends PathOf<'get'>>(
    path: P,
    ...args: Arguments<Options<P, 'get'>>
  ): Promise<ArrayBuffer> {
    return (await this._call('GET', path, args[0])).arrayBuffer();
  }

  /** The text of an answer that is no JSON, such as CSV. */
  async postText<P extends PathOf<'post'>>(
    path: P,
    ...args: Arguments<Options<P, 'post'>>
  ): Promise<string> {
    return (await this._call('POST', path, args[0])).text();
  }

  private async _json<T>(method: string, path: Path, call?: Call): Promise<T> {
    const response = await this._call(method, path, call);
    return (await response.json()) as T;
  }

  private async _call(method: string, path: Path, call: Call = {}): Promise<Response> {
    const url = this._root + fill(path, call.path ?? {}) + this._search(path, call);
    // With 'no-store', its default, ServerConnection adds a time to the query, which our server
    // refuses as it refuses every field that it does not know.
    const init: RequestInit = { method, cache: 'no-cache' };
    if (call.signal !== undefined) {
      init.signal = call.signal;
    }
    if (call.body !== undefined) {
      init.body = JSON.stringify(call.body);
    }
    let response: Response;
    try {
      response = await this._request(url, init);
    } catch (error) {
      if (call.signal?.aborted === true || isAbort(error)) {
        throw error;
      }
      throw asPerijoveError(error);
    }
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }

  private _search(path: Path, call: Call): string {
    const search = new URLSearchParams();
    if (!GLOBAL.has(path)) {
      const project = call.project ?? this._project();
      if (project === null) {
        const trans = spoken();
        throw new PerijoveError({
          code: 'no_project',
          message: trans.__('There is no project yet.'),
          hint: trans.__('Make one, or open the example, in the Perijove sidebar.')
        });
      }
      search.set('project', project);
    }
    for (const [key, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined && value !== null) {
        search.set(key, String(value));
      }
    }
    const text = search.toString();
    return text === '' ? '' : `?${text}`;
  }

  private readonly _request: Client.IOptions['request'];
  private readonly _root: string;
  private readonly _project: () => string | null;
}

export namespace Client {
  export interface IOptions {
    /** Where the interface lies, without a slash at its end. */
    root: string;
    /** Makes a request as the Jupyter server wants it. */
    request: (url: string, init: RequestInit) => Promise<Response>;
    /** The current project's folder; null when there is none. */
    project: () => string | null;
  }
}

function fill(path: string, values: Record<string, string>): string {
  return path.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}
