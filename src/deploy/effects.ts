/** Commands of this step that change something; each asks first, and none runs from an output. */

import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type Endpoint, type IPerijove } from '../api';
import { addEffect, notifyDone } from '../kit/lab';
import { shortModel } from './refs';
import { CommandIDs } from './tokens';

const NAMED = {
  args: {
    type: 'object',
    properties: { name: { type: 'string', description: 'The name of the endpoint' } },
    required: ['name']
  }
} as const;

const REVISION = {
  args: {
    type: 'object',
    properties: {
      ...NAMED.args.properties,
      revision: { type: 'number', description: 'The revision that shall answer' }
    },
    required: ['name', 'revision']
  }
} as const;

export function addEffects(perijove: IPerijove): void {
  const { client, events, trans } = perijove;

  const named = (args: ReadonlyPartialJSONObject): string => {
    if (typeof args.name !== 'string') {
      throw new PerijoveError({
        code: 'no_endpoint',
        message: trans.__('The command names no endpoint.'),
        hint: trans.__('Do it on the page of the endpoint.')
      });
    }
    return args.name;
  };
  const find = (name: string): Promise<Endpoint> =>
    client.get('/endpoints/{name}', { path: { name } });

  addEffect(perijove, CommandIDs.stopEndpoint, {
    label: trans.__('Stop Endpoint'),
    describedBy: NAMED,
    question: args => ({
      title: trans.__('Stop endpoint %1?', named(args)),
      body: trans.__(
        'Requests in flight are answered, later ones fail until it is started again. Its revisions and its history stay.'
      ),
      accept: trans.__('Stop endpoint'),
      warn: true
    }),
    act: async args => {
      const name = named(args);
      await client.post('/endpoints/{name}/stop', { path: { name } });
      events.announce('deploy');
      notifyDone(trans.__('The endpoint %1 stops.', name));
    }
  });

  addEffect(perijove, CommandIDs.startEndpoint, {
    label: trans.__('Start Endpoint'),
    describedBy: NAMED,
    // Nothing is lost by it: the revision went through its gate when it was deployed.
    question: () => null,
    act: async args => {
      const name = named(args);
      await client.post('/endpoints/{name}/start', { path: { name } });
      events.announce('deploy');
    }
  });

  const revisionOf = (args: ReadonlyPartialJSONObject, endpoint: Endpoint) => {
    const revision = endpoint.revisions.find(one => one.number === args.revision);
    if (revision === undefined) {
      throw new PerijoveError({
        code: 'no_revision',
        message: trans.__('The endpoint %1 has no such revision.', endpoint.name),
        hint: trans.__('Its page lists the revisions that there are.')
      });
    }
    return revision;
  };

  addEffect(perijove, CommandIDs.rollBackEndpoint, {
    label: trans.__('Roll Back Endpoint'),
    describedBy: REVISION,
    question: async args => {
      const endpoint = await find(named(args));
      const revision = revisionOf(args, endpoint);
      const next = shortModel(revision.model);
      const change =
        endpoint.revision === 0
          ? trans.__('%1 will answer with %2.', endpoint.name, next)
          : trans.__(
              '%1 will answer with %2 (revision %3) instead of %4 (revision %5). No request is dropped.',
              endpoint.name,
              next,
              revision.number,
              shortModel(endpoint.revisions.find(one => one.live)?.model ?? endpoint.model),
              endpoint.revision
            );
      const signed =
        revision.override === null
          ? ''
          : ' ' +
            trans.__(
              'Its gate was overridden by %1: %2',
              revision.override.by,
              revision.override.reason
            );
      return {
        title: trans.__('Let revision %1 of %2 answer?', revision.number, endpoint.name),
        body: change + signed,
        accept: trans.__('Roll back')
      };
    },
    act: async args => {
      const name = named(args);
      const { number } = revisionOf(args, await find(name));
      await client.post('/endpoints/{name}/rollback', {
        path: { name },
        body: { revision: number }
      });
      events.announce('deploy');
      notifyDone(trans.__('Revision %1 of %2 starts to answer.', number, name));
    }
  });
}
