/**
 * What the server says and how to ask it.
 *
 * ```ts
 * const { items } = await client.get('/runs', { query: { limit: 50 } });
 * await client.post('/endpoints/{name}/stop', { path: { name: 'builds' } });
 * ```
 *
 * The current project travels by itself; a failure is a `PerijoveError` with `code`, `message`,
 * `hint` and `status`. `wire.ts` is generated (`jlpm wire`); `types.ts` names what is in it.
 */
export { Client } from './client';
export { PerijoveError, asPerijoveError, isAbort } from './errors';
export { EventStream, type Subscription, type Want } from './events';
export { CurrentProject } from './project';
export { locale, spoken, type Trans } from './language';
export { formatRef, parseRef, refText, versionText, type Ref } from './refs';
export { IOpeners, IPerijove, type Opener, type Stopper, type StopTarget } from './tokens';
export * from './types';
