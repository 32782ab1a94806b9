import { CommandRegistry } from '@lumino/commands';
import type { ReactNode } from 'react';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import { Client } from '../../api/client';
import { EventStream } from '../../api/events';
import { Openers } from '../../api/openers';
import { CurrentProject } from '../../api/project';
import { Stoppers } from '../../api/stoppers';
import type { IPerijove } from '../../api/tokens';
import { english } from '../../api/english';
import { ServicesContext } from '../services';

export type Answers = Record<string, (init: RequestInit, url: URL) => unknown>;

/** The real services over answers by `METHOD /path`; what has no answer is a 404. */
export function services(answers: Answers): IPerijove {
  const client: Client = new Client({
    root: 'http://jupyter/perijove/api',
    request: async (text, init) => {
      const url = new URL(text);
      const path = url.pathname.slice('/perijove/api'.length);
      const answer = answers[`${init.method} ${path}`];
      if (answer === undefined) {
        return new Response('', { status: 404, statusText: 'Not Found' });
      }
      const body = await answer(init, url);
      return body instanceof Response ? body : new Response(JSON.stringify(body));
    },
    project: () => project.path
  });
  const project: CurrentProject = new CurrentProject({ client, state: null });
  const events = new EventStream({
    url: 'ws://jupyter/perijove/api/events',
    open: () => new FakeSocket() as unknown as WebSocket,
    random: () => 0.5
  });
  project.changed.connect(() => {
    events.project = project.path;
  });
  return {
    client,
    events,
    project,
    openers: new Openers(),
    stoppers: new Stoppers(),
    commands: new CommandRegistry(),
    trans: english,
    rendermime: null
  };
}

export function wrapper(perijove: IPerijove) {
  return ({ children }: { children: ReactNode }): JSX.Element => (
    <ServicesContext.Provider value={perijove}>{children}</ServicesContext.Provider>
  );
}
