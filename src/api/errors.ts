import { spoken } from './language';
import type { ErrorBody } from './types';

/**
 * Everything that a call of ours can fail with.
 *
 * `code` is for programs, the message says what and why, the hint what to do.
 */
export class PerijoveError extends Error {
  constructor(body: ErrorBody, status = 0) {
    super(body.message);
    this.name = 'PerijoveError';
    this.code = body.code;
    this.hint = body.hint;
    this.status = status;
  }

  readonly code: string;
  readonly hint: string;
  /** The answer's HTTP status; 0 when there was no answer. */
  readonly status: number;
}

/** Read the error out of an answer that is not OK, be it ours or a proxy's. */
export async function errorOf(response: Response): Promise<PerijoveError> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  if (isRecord(body) && typeof body['message'] === 'string' && body['message'] !== '') {
    return new PerijoveError(
      {
        code: typeof body['code'] === 'string' ? body['code'] : `http_${response.status}`,
        message: body['message'],
        hint: typeof body['hint'] === 'string' ? body['hint'] : ''
      },
      response.status
    );
  }
  const trans = spoken();
  const word = response.statusText === '' ? '' : ` ${response.statusText}`;
  const denied = response.status === 401 || response.status === 403;
  return new PerijoveError(
    {
      code: `http_${response.status}`,
      message: trans.__('The server answered %1.', `${response.status}${word}`),
      hint: denied
        ? trans.__('Log in to Jupyter again.')
        : response.status === 404
          ? trans.__('Check that the server extension is on: jupyter server extension list')
          : ''
    },
    response.status
  );
}

/** Turn whatever was thrown into an error that can be shown. */
export function asPerijoveError(error: unknown): PerijoveError {
  if (error instanceof PerijoveError) {
    return error;
  }
  const trans = spoken();
  const message = error instanceof Error ? error.message : String(error);
  // ServerConnection wraps a failed fetch in a NetworkError; a bare one is a TypeError, as is a
  // mistake of ours, which is not the server's.
  const bare = error instanceof TypeError && /fetch|network|load failed/i.test(message);
  if (bare || (error instanceof Error && error.name === 'NetworkError')) {
    return new PerijoveError({
      code: 'unreachable',
      message: trans.__('The Jupyter server does not answer (%1).', message),
      hint: trans.__('Check that it still runs; what is shown here will refresh when it is back.')
    });
  }
  return new PerijoveError({ code: 'client', message, hint: '' });
}

/** Whether a call was given up by its caller, which is no failure. */
export function isAbort(error: unknown): boolean {
  if (!(error instanceof Error || error instanceof DOMException)) {
    return false;
  }
  return error.name === 'AbortError' || /abort/i.test(error.message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
