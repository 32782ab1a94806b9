import { Notification } from '@jupyterlab/apputils';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { FakeSocket } from '../api/__tests__/fake_socket';
import { services } from '../kit/__tests__/fakes';
import { activateAll } from './lab';

// The notebook's own module does not load outside of a browser; a plugin only needs its token.
vi.mock('@jupyterlab/notebook', async () => {
  const { Token } = await import('@lumino/coreutils');
  return {
    INotebookTracker: new Token('@jupyterlab/notebook:INotebookTracker'),
    NotebookActions: {}
  };
});

/** What only shows something: all that a link in an output may run. */
const HARMLESS = [
  'perijove:open',
  'perijove:open-alerts',
  'perijove:open-compare',
  'perijove:open-data',
  'perijove:open-dataset',
  'perijove:open-deploy',
  'perijove:open-develop',
  'perijove:open-endpoint',
  'perijove:open-job',
  'perijove:open-lineage',
  'perijove:open-model',
  'perijove:open-monitor',
  'perijove:open-operate',
  'perijove:open-problem',
  'perijove:open-run',
  'perijove:open-sidebar',
  'perijove:open-sources',
  'perijove:open-variables',
  'perijove:show-this-notebook'
];

/** Whether a click on a link for a command, inside of this markup, reaches JupyterLab. */
function passes(command: string, place: string): boolean {
  const outer = document.createElement('div');
  outer.className = place;
  const link = document.createElement('a');
  link.setAttribute('data-commandlinker-command', command);
  outer.append(link);
  document.body.append(outer);
  let seen = false;
  const listen = (): void => {
    seen = true;
  };
  document.body.addEventListener('click', listen);
  link.click();
  document.body.removeEventListener('click', listen);
  outer.remove();
  return seen;
}

describe('a link in the output of a notebook', () => {
  let ours: string[];

  beforeAll(async () => {
    FakeSocket.made = [];
    const perijove = services({ 'GET /projects': () => ({ items: [] }) });
    await activateAll(perijove);
    ours = perijove.commands.listCommands().filter(id => id.startsWith('perijove:'));
  });

  afterEach(() => vi.restoreAllMocks());

  it('runs none of our commands but those that only show something', () => {
    vi.spyOn(Notification, 'warning').mockReturnValue('');
    expect(ours.length).toBeGreaterThan(HARMLESS.length);
    for (const place of ['jp-OutputArea', 'jp-RenderedHTMLCommon', 'jp-MimeDocument']) {
      expect(ours.filter(id => passes(id, place)).sort()).toEqual(HARMLESS);
    }
  });

  it('tells why nothing happens', () => {
    const warn = vi.spyOn(Notification, 'warning').mockReturnValue('');
    expect(passes('perijove:sign-off', 'jp-OutputArea')).toBe(false);
    expect(warn).toHaveBeenCalledOnce();
  });

  it('is not touched where it is ours, or runs what is not', () => {
    expect(passes('perijove:sign-off', 'pj-Page')).toBe(true);
    expect(passes('docmanager:open', 'jp-OutputArea')).toBe(true);
  });
});
