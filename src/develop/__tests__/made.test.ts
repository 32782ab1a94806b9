import { describe, expect, it } from 'vitest';

import type { BackgroundReview, SearchReport } from '../../api';
import { imageType, prettyJson, readObject } from '../artifacts';
import { cellAt, fileName, firstLine } from '../cells';
import { previousOf } from '../previous';
import { firstChoice, isAmount, readChoice } from '../review';
import { historyOf } from '../search';
import { ownTags, readTag } from '../tags';
import { runOf, T0 } from './runs';

describe('a cell that ran', () => {
  const cells = [
    { code: false, number: null, source: 'fit()' },
    { code: true, number: 3, source: 'fit()' },
    { code: true, number: 5, source: 'fit()\n' },
    { code: true, number: 7, source: 'other()' }
  ];

  it('is that with its text, of several that with its number', () => {
    expect(cellAt(cells, { number: 5, source: 'fit()' })).toBe(2);
    expect(cellAt(cells, { number: 9, source: 'fit()' })).toBe(1);
  });

  it('is that with its number where it was changed, and else gone', () => {
    expect(cellAt(cells, { number: 7, source: 'before()' })).toBe(3);
    expect(cellAt(cells, { number: 8, source: 'before()' })).toBe(-1);
    expect(cellAt(cells, { number: -1, source: '' })).toBe(-1);
  });

  it('is told by its first line that says something', () => {
    expect(firstLine('\n# load\n\n  frame = read()')).toBe('frame = read()');
    expect(firstLine('# only words')).toBe('# only words');
    expect(firstLine('')).toBe('');
  });
});

describe('a name', () => {
  it('becomes that of a file', () => {
    expect(fileName('../a b/<x>')).toBe('a-b-x');
    expect(fileName('żółw 2')).toBe('żółw-2');
    expect(fileName('///')).toBe('run');
  });
});

describe('the run before', () => {
  it('is the newest that began earlier', () => {
    const run = runOf({ run_id: 'now', started: T0 + 10 });
    const runs = [
      runOf({ run_id: 'later', started: T0 + 20 }),
      run,
      runOf({ run_id: 'old', started: T0 }),
      runOf({ run_id: 'before', started: T0 + 5 })
    ];
    expect(previousOf(run, runs)?.run_id).toBe('before');
    expect(previousOf(runs[2]!, runs)).toBeUndefined();
  });
});

describe('tags', () => {
  it('are of people or of the tools', () => {
    expect(ownTags({ 'mlflow.user': 'a', team: 'x', 'perijove.job': 'j', area: '' })).toEqual({
      own: [
        ['area', ''],
        ['team', 'x']
      ],
      others: [
        ['mlflow.user', 'a'],
        ['perijove.job', 'j']
      ]
    });
  });

  it('are read as a name and a value', () => {
    expect(readTag(' team : search: two ')).toEqual({ key: 'team', value: 'search: two' });
    expect(readTag('team=search')).toEqual({ key: 'team', value: 'search' });
    expect(readTag('keep')).toEqual({ key: 'keep', value: '' });
    expect(readTag(' : x')).toBeNull();
    expect(readTag('')).toBeNull();
  });
});

describe('the review of a cell', () => {
  const review: BackgroundReview = {
    cells: [
      { number: 2, source: 'b', wanted: true, reason: '' },
      { number: 1, source: 'a', wanted: true, reason: '' },
      { number: 3, source: 'pj.deploy()', wanted: false, reason: 'it deploys' }
    ],
    disorder: [],
    executors: ['local'],
    cpus: 2,
    gpus: 0
  };

  it('begins with what is wanted, and leaves open what nobody said', () => {
    expect(readChoice(firstChoice(review))).toEqual({
      numbers: [1, 2],
      name: '',
      executor: '',
      force: false
    });
  });

  it('reads what was typed', () => {
    const choice = { ...firstChoice(review), cpus: '1,5', gpus: '1', name: ' long ' };
    expect(readChoice(choice)).toMatchObject({ cpus: 1.5, gpus: 1, name: 'long' });
    expect(isAmount('', true)).toBe(true);
    expect(isAmount('1.5', false)).toBe(true);
    expect(isAmount('1.5', true)).toBe(false);
    expect(isAmount('-1', false)).toBe(false);
    expect(isAmount('two', false)).toBe(false);
  });
});

describe('the history of a search', () => {
  it('has what finished, in the order of the trials', () => {
    const search: SearchReport = {
      metric: 'auc',
      direction: 'maximize',
      trials: [
        { number: 2, run_id: 'c', state: 'finished', value: 'NaN', params: {} },
        { number: 0, run_id: 'a', state: 'finished', value: 0.5, params: {} },
        { number: 1, run_id: 'b', state: 'pruned', value: 0.1, params: {} },
        { number: 3, run_id: 'd', state: 'running', value: null, params: {} }
      ],
      wanted: 10,
      best: 'a',
      history: [0.5, 0.5],
      study: 's',
      storage: ''
    };
    expect(historyOf(search)).toEqual({
      trials: { x: [0, 2], y: [0.5, null] },
      best: { x: [0, 2], y: [0.5, 0.5] }
    });
  });
});

describe('an artifact', () => {
  it('is shown as what it is', () => {
    expect(imageType('a/b.SVG')).toBe('image/svg+xml');
    expect(prettyJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(prettyJson('{"a":')).toBe('{"a":');
    expect(readObject('[1]')).toBeNull();
    expect(readObject('{"mark":"bar"}')).toEqual({ mark: 'bar' });
  });
});
