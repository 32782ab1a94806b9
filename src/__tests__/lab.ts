import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';

import plugins from '..';
import { IPerijove, type IPerijove as Perijove } from '../api/tokens';

/** As much of JupyterLab as a plugin asks for when it is activated. */
function lab(perijove: Perijove): JupyterFrontEnd {
  const signal = new Signal({});
  return {
    commands: perijove.commands,
    shell: { add: vi.fn(), activateById: vi.fn(), currentChanged: signal, widgets: () => [] },
    serviceManager: {},
    restored: Promise.resolve(),
    docRegistry: { addWidgetExtension: vi.fn(), addFileType: vi.fn() },
    contextMenu: { addItem: vi.fn() }
  } as unknown as JupyterFrontEnd;
}

/** Activate all of our plugins over these services, each after those that it needs. */
export async function activateAll(perijove: Perijove): Promise<void> {
  const provided = new Map<unknown, unknown>([[IPerijove, perijove]]);
  const app = lab(perijove);
  const waiting = plugins.filter(plugin => !/^perijove:(api|openers)$/.test(plugin.id));
  while (waiting.length > 0) {
    const index = waiting.findIndex(plugin =>
      (plugin.requires ?? []).every(
        token => provided.has(token) || !waiting.some(other => other.provides === token)
      )
    );
    const [plugin] = waiting.splice(index, 1);
    if (plugin === undefined) {
      return;
    }
    const given = [...(plugin.requires ?? []), ...(plugin.optional ?? [])].map(
      token => provided.get(token) ?? null
    );
    const made: unknown = await plugin.activate(app, ...given);
    if (plugin.provides != null) {
      provided.set(plugin.provides, made);
    }
  }
}
