import { cleanup, render, screen, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import type { Dataset, Profile } from '../../api';
import { services, wrapper, type Answers } from '../../kit/__tests__/fakes';
import { Columns } from '../components/columns';

afterEach(cleanup);

const dataset: Dataset = {
  name: 'builds',
  ref: 'data:builds@1',
  version: 1,
  versions: 1,
  at: 0,
  by: 'ada',
  target: 'failed',
  time: '',
  state: 'current',
  splits: [],
  description: '',
  tags: [],
  quality: null,
  schedule: null,
  facts: {
    path: 'builds.csv',
    kind: 'file',
    sha256: '',
    bytes: 10,
    rows: 1000,
    columns: ['size', 'failed'].map(name => ({
      name,
      type: 'BIGINT',
      known: 'before' as const,
      nulls: 0
    })),
    table: '',
    delta_version: null,
    inputs: [],
    code_sha256: '',
    source: '',
    fingerprint: '',
    partitioned: false,
    etag: '',
    query: '',
    script: '',
    entry: '',
    parameters: {},
    environment: {},
    unrecorded: [],
    unregistered: [],
    quality: ''
  }
};

function profile(stage: Profile['stage'], seen: number): Profile {
  return {
    ref: dataset.ref,
    stage,
    rows: 1000,
    seen,
    shares: [0.5],
    correlation: null,
    time_axis: null,
    task: '',
    seconds: 0,
    columns: dataset.facts.columns.map(({ name, type, known }) => ({
      name,
      type,
      known,
      kind: 'number',
      nulls: 3,
      distinct: 900,
      distinct_error: 0.01,
      minimum: '1',
      maximum: '9007199254740993',
      mean: 4.5,
      deviation: 1,
      nan: 0,
      infinite: 0,
      zeros: 0,
      quantiles: [42],
      quantile_error: 0,
      histogram: { counts: [1, 2], edges: [0, 1, 2], labels: [] },
      top: [],
      shortest: null,
      longest: null
    }))
  };
}

async function show(answers: Answers): Promise<void> {
  const perijove = services({
    'GET /projects': () => ({ items: [{ path: '', name: 'p' }] }),
    ...answers
  });
  await perijove.project.refresh();
  render(<Columns dataset={dataset} />, { wrapper: wrapper(perijove) });
}

describe('the columns of a dataset', () => {
  it('show the sample’s figures where only the footer’s are known', async () => {
    await show({
      'GET /datasets/builds/profile': (_, url) =>
        url.searchParams.get('stage') === 'full' ? profile('footer', 1000) : profile('sample', 100)
    });
    await waitFor(() => expect(screen.getByText(/sample of 100 rows/)).toBeTruthy());
    expect(screen.getAllByText('≈', { exact: false }).length).toBeGreaterThan(0);
    expect(screen.getAllByTitle('9007199254740993').length).toBe(2);
    expect(screen.getByRole('button', { name: 'Profile all rows' })).toBeTruthy();
  });

  it('are there when no profile can be had, and say why', async () => {
    await show({
      'GET /datasets/builds/profile': () =>
        new Response(JSON.stringify({ code: 'x', message: 'No figures.', hint: '' }), {
          status: 500
        })
    });
    await waitFor(() => expect(screen.getByText('No figures.')).toBeTruthy());
    expect(screen.getAllByRole('row').length).toBeGreaterThan(1);
  });

  it('say which of them tell the answer, when somebody asks', async () => {
    await show({
      'GET /datasets/builds/profile': () => profile('full', 1000),
      'GET /datasets/builds/leaks': () => ({
        ref: dataset.ref,
        target: 'failed',
        rows: 100,
        columns: [
          {
            column: 'size',
            known: 'before',
            score: 0.994,
            leaks: true,
            reason: 'alone scores 0.994'
          }
        ]
      })
    });
    (await screen.findByRole('button', { name: 'Check for leaks' })).click();
    expect((await screen.findByText('leaks')).title).toBe('alone scores 0.994');
  });
});
