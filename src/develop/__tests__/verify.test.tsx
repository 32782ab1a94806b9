import { cleanup, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import type { CertificateFacts, Run } from '../../api';
import type { IPerijove } from '../../api/tokens';
import { services, wrapper } from '../../kit/__tests__/fakes';
import { VerifyTab } from '../components/run/verify';
import { runOf, T0 } from './runs';

function run(part: Partial<Run>): Run {
  return {
    summary: runOf(),
    tags: {},
    cells: [],
    inputs: [],
    unregistered: [],
    git_commit: '',
    git_dirty: false,
    environment: {},
    seed: null,
    error: '',
    note: '',
    usage: null,
    disorder: [],
    certificates: [],
    obstacle: '',
    parent: '',
    children: [],
    search: null,
    masked: [],
    ...part
  };
}

const TAMPERED: CertificateFacts = {
  run_id: 'a1',
  rerun: 'b2',
  ok: false,
  bitwise: true,
  tolerance: 1e-6,
  at: T0,
  seconds: 12,
  job: '',
  cells_sha256: 'c'.repeat(64),
  lock_sha256: '',
  inputs: ['data:builds@3'],
  metrics: [
    {
      metric: 'auc',
      expected: 0.5,
      found: 0.5,
      same: true,
      points: 1,
      differing: 0,
      first_step: null
    },
    {
      metric: 'loss',
      expected: 0.1,
      found: 0.2,
      same: false,
      points: 9,
      differing: 4,
      first_step: 5
    },
    {
      metric: 'gone',
      expected: 'NaN',
      found: null,
      same: false,
      points: 0,
      differing: 0,
      first_step: null
    }
  ],
  differences: ['numpy 2.0 instead of 2.1'],
  reasons: ['A recorded cell was changed.']
};

describe('the proof of a run', () => {
  let perijove: IPerijove;

  beforeEach(async () => {
    FakeSocket.made = [];
    perijove = services({
      'GET /projects': () => ({ items: [{ path: 'one', name: 'One' }] }),
      'GET /jobs': () => ({ items: [] })
    });
    await perijove.project.refresh();
  });

  afterEach(cleanup);

  it('says why it failed, which metrics differ and from where', () => {
    render(<VerifyTab run={run({ certificates: [TAMPERED] })} />, { wrapper: wrapper(perijove) });
    const certificate = screen.getByRole('region', { name: 'Certificate' });
    expect(certificate.textContent).toContain('not verified');
    expect(certificate.textContent).toContain('A recorded cell was changed.');
    expect(certificate.textContent).toContain('numpy 2.0 instead of 2.1');
    const row = (name: RegExp): string =>
      within(certificate).getByRole('row', { name }).textContent ?? '';
    expect(row(/^loss/)).toContain('4 of 9 points, from step 5');
    expect(row(/^gone/)).toContain('not logged');
    expect(row(/^auc/)).toContain('bit for bit');
    expect(screen.getByRole('button', { name: 'Verify again' })).toBeDefined();
  });

  it('is not offered where something is known against it', () => {
    render(<VerifyTab run={run({ obstacle: 'It read a.csv, which no dataset names.' })} />, {
      wrapper: wrapper(perijove)
    });
    expect(screen.getByRole('note').textContent).toContain('no dataset names');
    expect(screen.queryByRole('button', { name: 'Rerun and verify' })).toBeNull();
  });
});
