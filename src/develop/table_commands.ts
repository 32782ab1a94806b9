import type { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PerijoveError, type IPerijove, type Request } from '../api';
import { addEffect, choose, notifyDone, perform, type Question } from '../kit/lab';
import { matching, readLook } from './look';
import type { RunSelection } from './selection';
import { CommandIDs } from './tokens';

const RUNS = {
  args: {
    type: 'object',
    properties: {
      run_ids: {
        type: 'array',
        items: { type: 'string' },
        description: 'The identifiers of the runs; those chosen on the page of runs when left out'
      }
    }
  }
} as const;

/** The commands that are about several runs at once. */
export function addTableCommands(
  perijove: IPerijove,
  selection: RunSelection,
  palette: ICommandPalette | null
): void {
  const { client, commands, events, trans } = perijove;
  const chosen = (args: ReadonlyPartialJSONObject): string[] => {
    const { run_ids: ids } = args;
    return Array.isArray(ids)
      ? ids.filter((id): id is string => typeof id === 'string')
      : [...selection.ids];
  };
  const isEnabled = (args: ReadonlyPartialJSONObject): boolean =>
    args['run_ids'] !== undefined || selection.ids.length > 0;
  const refresh = (): void => events.announce('develop');
  selection.changed.connect(() => {
    for (const id of [CommandIDs.compareRuns, CommandIDs.starRuns, CommandIDs.deleteRuns]) {
      commands.notifyCommandChanged(id);
    }
  });

  commands.addCommand(CommandIDs.compareRuns, {
    label: trans.__('Compare Runs'),
    caption: trans.__('The chosen runs side by side: what differs, their curves and their code'),
    describedBy: RUNS,
    isEnabled,
    execute: args =>
      perform(async () => {
        const ids = chosen(args);
        if (ids.length < 2) {
          throw new PerijoveError({
            code: 'few_runs',
            message: trans.__('Two runs are needed for a comparison.'),
            hint: trans.__('Choose them in the table of runs with Space.')
          });
        }
        await commands.execute(CommandIDs.compare, { run_ids: ids.slice(0, 20) });
      })
  });

  commands.addCommand(CommandIDs.starRuns, {
    label: trans.__('Star Runs'),
    caption: trans.__('Mark the chosen runs with a star'),
    describedBy: RUNS,
    isEnabled,
    execute: args =>
      perform(async () => {
        await client.post('/runs/change', { body: { run_ids: chosen(args), star: true } });
        refresh();
      })
  });

  const asked = (ids: readonly string[]): Question => ({
    title: trans._n('Delete %2 run?', 'Delete %2 runs?', ids.length, ids.length),
    body: trans.__(
      'They leave the table, and can be restored from its deleted runs. Their models and endpoints stay as they are.'
    ),
    accept: trans.__('Delete'),
    warn: true
  });
  addEffect(perijove, CommandIDs.deleteRuns, {
    label: trans.__('Delete Runs'),
    caption: trans.__('Put the chosen runs away; they can be restored'),
    describedBy: RUNS,
    isEnabled,
    complete: args => Promise.resolve({ run_ids: chosen(args) }),
    question: args => asked(chosen(args)),
    act: async args => {
      const ids = chosen(args);
      const { items } = await client.post('/runs/delete', { body: { run_ids: ids } });
      selection.ids = selection.ids.filter(id => !ids.includes(id));
      refresh();
      notifyDone(trans._n('%2 run deleted.', '%2 runs deleted.', items.length, items.length), {
        label: trans.__('Undo'),
        callback: () => void commands.execute(CommandIDs.restoreRuns, { run_ids: ids })
      });
    }
  });

  commands.addCommand(CommandIDs.restoreRuns, {
    label: trans.__('Restore Runs'),
    caption: trans.__('Bring deleted runs back'),
    describedBy: RUNS,
    execute: args =>
      perform(async () => {
        let ids = chosen(args);
        if (ids.length === 0) {
          const { rows } = await client.post('/runs/table', {
            body: { view: 'deleted', limit: 200 }
          });
          const one = await choose(
            trans.__('Restore which run?'),
            rows.map(row => ({
              label: `${row.name} · ${row.run_id.slice(0, 8)}`,
              value: row.run_id
            })),
            trans.__('No run of this project is deleted.')
          );
          if (one === null) {
            return;
          }
          ids = [one];
        }
        const { items } = await client.post('/runs/restore', { body: { run_ids: ids } });
        refresh();
        notifyDone(trans._n('%2 run restored.', '%2 runs restored.', items.length, items.length));
      })
  });

  commands.addCommand(CommandIDs.exportRuns, {
    label: trans.__('Export Runs as CSV'),
    caption: trans.__('Save the runs of the table, all that match, as a CSV file'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          ...RUNS.args.properties,
          look: { type: 'object', description: 'How the table is looked at' },
          columns: { type: 'array', items: { type: 'string' } }
        }
      }
    },
    execute: args =>
      perform(async () => {
        const ids = chosen(args);
        const look = readLook(args['look']);
        const columns = Array.isArray(args['columns'])
          ? args['columns'].filter((one): one is string => typeof one === 'string')
          : [];
        const request: Request<'RunsRequest'> = {
          ...(look === undefined ? {} : matching(look)),
          columns,
          ...(ids.length > 0 && {
            search: '',
            filter: { type: 'one_of', column: 'attributes.run_id', values: ids }
          })
        };
        const text = await client.postText('/runs/export', { body: { request } });
        save(new Blob([text], { type: 'text/csv' }), 'runs.csv');
      })
  });

  for (const command of [
    CommandIDs.compareRuns,
    CommandIDs.starRuns,
    CommandIDs.deleteRuns,
    CommandIDs.restoreRuns,
    CommandIDs.exportRuns
  ]) {
    palette?.addItem({ command, category: trans.__('Perijove') });
  }
}

/** Have the browser save a file. */
function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the address by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
