/** Commands of this step that change something; each asks first, and none runs from an output. */

import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type Endpoint, type IPerijove, type Stopper } from '../api';
import { refText } from '../api/refs';
import { addEffect, choose, notifyDone } from '../kit/lab';
import { CommandIDs } from './tokens';

const NAMED = {
  args: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of the endpoint; asked for when left out' }
    }
  }
} as const;

const REVISION = {
  args: {
    type: 'object',
    properties: {
      ...NAMED.args.properties,
      revision: {
        type: 'number',
        description: 'The revision that shall answer; asked for when left out'
      }
    }
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

  /** Ask for the endpoint where the command does not name it, as from the palette. */
  const askFor =
    (title: string, fits: (endpoint: Endpoint) => boolean, none: string) =>
    async (args: ReadonlyPartialJSONObject): Promise<ReadonlyPartialJSONObject | null> => {
      if (typeof args.name === 'string') {
        return args;
      }
      const { items } = await client.get('/endpoints');
      const name = await choose(
        title,
        items.filter(fits).map(endpoint => ({ label: endpoint.name, value: endpoint.name })),
        none
      );
      return name === null ? null : { ...args, name };
    };

  const stopper: Stopper = {
    question: ({ name }) => ({
      title: trans.__('Stop endpoint %1?', name),
      body: trans.__(
        'Requests in flight are answered, later ones fail until it is started again. Its revisions and its history stay.'
      ),
      accept: trans.__('Stop endpoint'),
      warn: true
    }),
    stop: async ({ id: name }) => {
      await client.post('/endpoints/{name}/stop', { path: { name } });
      events.announce('deploy', 'operate');
      return trans.__('The endpoint %1 stops.', name);
    }
  };
  perijove.stoppers.add('endpoint', stopper);

  addEffect(perijove, CommandIDs.stopEndpoint, {
    label: trans.__('Stop Endpoint'),
    describedBy: NAMED,
    complete: askFor(
      trans.__('Stop which endpoint?'),
      endpoint => endpoint.state !== 'stopped',
      trans.__('No endpoint of this project runs.')
    ),
    question: args => stopper.question({ id: named(args), name: named(args) }),
    act: async args => notifyDone(await stopper.stop({ id: named(args), name: named(args) }))
  });

  addEffect(perijove, CommandIDs.startEndpoint, {
    label: trans.__('Start Endpoint'),
    describedBy: NAMED,
    complete: askFor(
      trans.__('Start which endpoint?'),
      endpoint => endpoint.state === 'stopped',
      trans.__('No endpoint of this project is stopped.')
    ),
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
    complete: async given => {
      const args = await askFor(
        trans.__('Roll back which endpoint?'),
        endpoint => endpoint.revisions.length > 1,
        trans.__('No endpoint of this project has an earlier revision.')
      )(given);
      if (args === null || typeof args.revision === 'number') {
        return args;
      }
      const endpoint = await find(named(args));
      const revision = await choose(
        trans.__('Which revision of %1 shall answer?', endpoint.name),
        endpoint.revisions
          .filter(one => !one.live)
          .map(one => ({
            label: trans.__('Revision %1: %2', one.number, refText(one.model)),
            value: one.number
          })),
        trans.__('The endpoint %1 has no earlier revision.', endpoint.name)
      );
      return revision === null ? null : { ...args, revision };
    },
    question: async args => {
      const endpoint = await find(named(args));
      const revision = revisionOf(args, endpoint);
      const next = refText(revision.model);
      const change =
        endpoint.revision === 0
          ? trans.__('%1 will answer with %2.', endpoint.name, next)
          : trans.__(
              '%1 will answer with %2 (revision %3) instead of %4 (revision %5). No request is dropped.',
              endpoint.name,
              next,
              revision.number,
              refText(endpoint.revisions.find(one => one.live)?.model ?? endpoint.model),
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
