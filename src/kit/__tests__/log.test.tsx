import { cleanup, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import type { IPerijove } from '../../api/tokens';
import { JobLog } from '../log';
import { printable } from '../printed';
import { services, wrapper } from './fakes';

describe('what a process printed', () => {
  it('has no colours', () => {
    expect(printable('\u001b[31mred\u001b[0m and \u001b]0;title\u0007plain')).toBe('red and plain');
  });

  it('shows a line that was written over as it was last', () => {
    expect(printable(' 10 %\r100 %\ndone')).toBe('100 %\ndone');
    expect(printable('12345\rab\n')).toBe('ab345\n');
    expect(printable('one\r\ntwo')).toBe('one\ntwo');
  });
});

describe('the log of a job', () => {
  let asked: string[];
  let pages: { text: string; offset: number; ended: boolean }[];
  let perijove: IPerijove;

  beforeEach(async () => {
    FakeSocket.made = [];
    asked = [];
    perijove = services({
      'GET /projects': () => ({ items: [{ path: 'one', name: 'One' }] }),
      'GET /jobs/j1/log': (_, url) => {
        asked.push(url.searchParams.get('offset') ?? '');
        return pages[Math.min(asked.length, pages.length) - 1];
      }
    });
    await perijove.project.refresh();
  });

  afterEach(cleanup);

  it('is read on from where it was left, to its end', async () => {
    pages = [
      { text: 'one\n', offset: 100_004, ended: true },
      { text: 'two <b>\n', offset: 100_012, ended: true },
      { text: '', offset: 100_012, ended: true }
    ];
    render(<JobLog id="j1" />, { wrapper: wrapper(perijove) });
    await waitFor(() => expect(screen.getByRole('log').textContent).toContain('two <b>'));
    expect(screen.getByRole('log').textContent).toContain('Earlier lines are left out');
    await waitFor(() => expect(asked).toEqual(['-65536', '100004', '100012']));
  });

  it('says that nothing was printed', async () => {
    pages = [{ text: '', offset: 0, ended: true }];
    render(<JobLog id="j1" />, { wrapper: wrapper(perijove) });
    expect(await screen.findByText('It printed nothing.')).toBeDefined();
  });
});
