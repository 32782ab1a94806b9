/** Commands that change what is said of models; each asks first, and none runs from an output. */

import { InputDialog } from '@jupyterlab/apputils';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type IPerijove, type ModelVersion } from '../api';
import { parseRef, refText } from '../api/refs';
import { addEffect, choose, notifyDone } from '../kit/lab';
import { ALIAS, CHAMPION, holderOf } from './aliases';
import { CommandIDs } from './tokens';

const VERSION = {
  args: {
    type: 'object',
    properties: {
      ref: { type: 'string', description: 'Such as model:builds@3; asked for when left out' },
      alias: { type: 'string', description: 'Such as champion; asked for when left out' }
    }
  }
} as const;

export function addModelEffects(perijove: IPerijove, palette: ICommandPalette | null): void {
  const { client, commands, events, openers, trans } = perijove;

  const askForVersion = async (
    title: string,
    args: ReadonlyPartialJSONObject
  ): Promise<ReadonlyPartialJSONObject | null> => {
    if (typeof args['ref'] === 'string') {
      return args;
    }
    const { items } = await client.get('/models');
    const ref = await choose(
      title,
      items.map(model => ({ label: refText(model.ref), value: model.ref })),
      trans.__('This project has no model yet.')
    );
    return ref === null ? null : { ...args, ref };
  };
  const named = (args: ReadonlyPartialJSONObject) => {
    const ref = typeof args['ref'] === 'string' ? parseRef(args['ref']) : null;
    if (ref?.version == null) {
      throw new PerijoveError({
        code: 'no_version',
        message: trans.__('The command names no version of a model.'),
        hint: trans.__('Do it on the page of the model.')
      });
    }
    return { ref: args['ref'] as string, name: ref.name, version: ref.version };
  };
  const aliasOf = (args: ReadonlyPartialJSONObject): string =>
    typeof args['alias'] === 'string' ? args['alias'] : '';
  const versionsOf = async (name: string): Promise<ModelVersion[]> =>
    (await client.get('/models')).items.filter(model => model.name === name);

  const set = async (args: ReadonlyPartialJSONObject, alias: string): Promise<void> => {
    const { ref, name, version } = named(args);
    await client.put('/models/{name}/aliases/{alias}', {
      path: { name, alias },
      body: { version }
    });
    events.announce('deploy');
    notifyDone(trans.__('%1 is the %2 now.', refText(ref), alias));
  };

  addEffect(perijove, CommandIDs.promoteModel, {
    label: trans.__('Promote Model to Champion'),
    caption: trans.__('Let the alias champion stand for a version of a model'),
    describedBy: VERSION,
    complete: args => askForVersion(trans.__('Promote which model?'), args),
    question: async args => {
      const { ref, name, version } = named(args);
      const champion = holderOf(CHAMPION, await versionsOf(name));
      return {
        title: trans.__('Promote %1 to champion?', refText(ref)),
        body:
          champion === undefined || champion.version === version
            ? trans.__('Whoever loads models:/%1@champion gets this version.', name)
            : trans.__(
                'Whoever loads models:/%1@champion gets this version instead of %2. Endpoints stay as they are.',
                name,
                refText(champion.ref)
              ),
        accept: trans.__('Promote')
      };
    },
    act: args => set(args, CHAMPION)
  });

  addEffect(perijove, CommandIDs.setAlias, {
    label: trans.__('Set Alias of Model'),
    caption: trans.__('Let a word, such as challenger, stand for a version of a model'),
    describedBy: VERSION,
    complete: async given => {
      const args = await askForVersion(trans.__('Which model gets an alias?'), given);
      if (args === null || typeof args['alias'] === 'string') {
        return args;
      }
      const { button, value } = await InputDialog.getText({
        title: trans.__('Alias of %1', refText(named(args).ref)),
        label: trans.__('A word that stands for this version, such as challenger'),
        pattern: ALIAS.source,
        okLabel: trans.__('Set alias')
      });
      return button.accept && value ? { ...args, alias: value.trim() } : null;
    },
    question: async args => {
      const { ref, name, version } = named(args);
      const alias = aliasOf(args);
      const holder = holderOf(alias, await versionsOf(name));
      // Only what takes the word away from another version changes something for others.
      return holder === undefined || holder.version === version
        ? null
        : {
            title: trans.__('Move alias %1 to %2?', alias, refText(ref)),
            body: trans.__(
              'It stands for %1 now. Whoever loads models:/%2@%3 gets the other version from then on.',
              refText(holder.ref),
              name,
              alias
            ),
            accept: trans.__('Move alias')
          };
    },
    act: args => set(args, aliasOf(args))
  });

  addEffect(perijove, CommandIDs.removeAlias, {
    label: trans.__('Remove Alias of Model'),
    describedBy: VERSION,
    complete: async given => {
      const args = await askForVersion(trans.__('Remove an alias of which model?'), given);
      if (args === null || typeof args['alias'] === 'string') {
        return args;
      }
      const { name, version } = named(args);
      const model = (await versionsOf(name)).find(one => one.version === version);
      const alias = await choose(
        trans.__('Remove which alias?'),
        (model?.aliases ?? []).map(one => ({ label: one, value: one })),
        trans.__('This version has no alias.')
      );
      return alias === null ? null : { ...args, alias };
    },
    question: args => {
      const { ref, name } = named(args);
      const alias = aliasOf(args);
      return {
        title: trans.__('Remove alias %1 of %2?', alias, refText(ref)),
        body: trans.__('models:/%1@%2 names nothing then. The version itself stays.', name, alias),
        accept: trans.__('Remove alias'),
        warn: true
      };
    },
    act: async args => {
      const { name } = named(args);
      const alias = aliasOf(args);
      await client.delete('/models/{name}/aliases/{alias}', { path: { name, alias } });
      events.announce('deploy');
      notifyDone(trans.__('The alias %1 is removed.', alias));
    }
  });

  addEffect(perijove, CommandIDs.registerModel, {
    label: trans.__('Register Model of a Run'),
    caption: trans.__('Make a model that a run logged a version that can be measured and deployed'),
    isEnabled: args => typeof args['run_id'] === 'string',
    describedBy: {
      args: {
        type: 'object',
        required: ['run_id'],
        properties: {
          run_id: { type: 'string', description: 'The run that logged it' },
          path: { type: 'string', description: 'Where it lies among the artifacts of the run' },
          name: { type: 'string', description: 'What the model is called; proposed to the user' }
        }
      }
    },
    complete: async args => {
      const { button, value } = await InputDialog.getText({
        title: trans.__('Register model'),
        label: trans.__('Name of the model; a version is added where there is one of that name'),
        text: typeof args['name'] === 'string' ? args['name'] : '',
        okLabel: trans.__('Register model')
      });
      return button.accept && value ? { ...args, name: value.trim() } : null;
    },
    // The dialog that asks for the name has asked.
    question: () => null,
    act: async ({ run_id: runId, name, path }) => {
      const model = await client.post('/models', {
        body: {
          run_id: typeof runId === 'string' ? runId : '',
          ...(typeof name === 'string' && { name }),
          ...(typeof path === 'string' && { path })
        }
      });
      events.announce('develop', 'deploy');
      notifyDone(trans.__('%1 is registered.', refText(model.ref)), {
        label: trans.__('Open model'),
        callback: () => void openers.open(model.ref)
      });
      await commands.execute(CommandIDs.openModel, { ref: model.ref });
    }
  });

  for (const command of [CommandIDs.promoteModel, CommandIDs.setAlias, CommandIDs.removeAlias]) {
    palette?.addItem({ command, category: trans.__('Perijove') });
  }
}
