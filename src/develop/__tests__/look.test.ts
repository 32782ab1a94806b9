import { describe, expect, it } from 'vitest';

import type { RunColumn } from '../../api';
import { complete } from '../completion';
import { groupMetrics } from '../curve_look';
import {
  askedColumns,
  askOf,
  defaultColumns,
  nextSort,
  PLAIN_LOOK,
  readLook,
  shownColumns,
  steadyDefaults
} from '../look';
import { inWords } from '../names';
import { smooth } from '../smoothing';

function column(name: string, telling = true): RunColumn {
  return { column: name, kind: name.startsWith('metrics') ? 'number' : 'text', runs: 2, telling };
}

const COLUMNS = [
  ...['auc', 'loss', 'm1', 'm2', 'm3', 'm4', 'system/cpu'].map(key => column(`metrics.${key}`)),
  column('params.lr'),
  column('params.seed', false),
  column('tags.team'),
  column('tags.mlflow.user'),
  column('attributes.start_time'),
  column('attributes.run_name')
];

describe('the columns that are shown', () => {
  it('are those that tell runs apart, until somebody chooses', () => {
    const defaults = defaultColumns(COLUMNS);
    const shown = shownColumns(COLUMNS, defaults, PLAIN_LOOK);
    expect(shown).toEqual([
      'attributes.start_time',
      'metrics.auc',
      'metrics.loss',
      'metrics.m1',
      'metrics.m2',
      'metrics.m3',
      'params.lr',
      'tags'
    ]);
    const chosen = { 'metrics.m1': false, 'params.seed': true, 'tags.mlflow.user': true };
    const after = shownColumns(COLUMNS, defaults, { ...PLAIN_LOOK, shown: chosen });
    expect(after).toContain('params.seed');
    expect(after).not.toContain('metrics.m1');
    expect(after.slice(-2)).toEqual(['tags', 'tags.mlflow.user']);
  });

  it('stay when others would now be shown, and come where there was none', () => {
    const before = defaultColumns([column('metrics.loss')]);
    const after = steadyDefaults(before, [column('metrics.auc'), column('params.lr')]);
    expect([...after]).toEqual(['metrics.loss', 'params.lr']);
  });

  it('ask for the tags that people gave', () => {
    expect(askedColumns(['metrics.auc', 'tags'], COLUMNS)).toEqual(['metrics.auc', 'tags.team']);
  });
});

describe('a look', () => {
  it('is read from what was kept, and from nonsense', () => {
    const look = {
      ...PLAIN_LOOK,
      search: 'x',
      conditions: [{ column: 'metrics.auc', operator: '>' as const, values: ['0.5'] }],
      sort: [{ column: 'metrics.auc', descending: true }],
      widths: { 'metrics.auc': 200 }
    };
    expect(readLook(JSON.parse(JSON.stringify(look)))).toEqual(look);
    expect(readLook({ sort: [1, { column: 2 }], widths: { a: 'b' }, search: [] })).toEqual(
      PLAIN_LOOK
    );
    expect(readLook('?')).toBeUndefined();
  });

  it('is asked of the server', () => {
    const conditions = [{ column: 'metrics.auc', operator: '>' as const, values: ['0.5'] }];
    expect(askOf({ ...PLAIN_LOOK, conditions, deleted: true }, ['metrics.auc'])).toMatchObject({
      filter: { type: 'compare', column: 'metrics.auc', op: '>', value: '0.5' },
      view: 'deleted',
      columns: ['metrics.auc']
    });
  });

  it('is sorted by the better side first, then by the other, then not', () => {
    const first = nextSort([], 'metrics.loss', false, false);
    const second = nextSort(first, 'metrics.loss', false, false);
    expect([first, second, nextSort(second, 'metrics.loss', false, false)]).toEqual([
      [{ column: 'metrics.loss', descending: false }],
      [{ column: 'metrics.loss', descending: true }],
      []
    ]);
    expect(nextSort(first, 'metrics.auc', true, true)).toHaveLength(2);
  });
});

describe('completion of names', () => {
  const names = ['metrics.auc', 'metrics.val/loss', 'params.cost centre', 'tags.team'];
  it('fits what stands before the caret', () => {
    expect(complete('metrics.auc > 0.7 and pa', 24, names)).toEqual({
      start: 22,
      end: 24,
      names: ['params.`cost centre`']
    });
    expect(complete('metrics.val', 11, names)?.names).toEqual(['metrics.val/loss']);
    expect(complete('team', 4, names)?.names).toEqual(['tags.team']);
  });

  it('keeps still in a value, and where the name is whole', () => {
    expect(complete("params.kind = 'te", 17, names)).toBeNull();
    expect(complete('metrics.auc > te', 16, names)).toBeNull();
    expect(complete('metrics.auc', 11, names)).toBeNull();
    expect(complete('a', 1, names)).toBeNull();
  });

  it('puts unusual keys into backquotes', () => {
    expect(inWords('metrics.val/loss')).toBe('metrics.val/loss');
    expect(inWords('params.ω')).toBe('params.`ω`');
  });
});

describe('groups of metrics', () => {
  it('come by what stands before the slash, the machine last', () => {
    const metrics = ['system/cpu', 'val/loss', 'loss', 'auc', 'train/loss', 'layer10', 'layer9'];
    expect(groupMetrics(metrics, '', metric => metric === 'loss')).toEqual([
      { prefix: '', metrics: ['loss', 'auc', 'layer9', 'layer10'] },
      { prefix: 'train', metrics: ['train/loss'] },
      { prefix: 'val', metrics: ['val/loss'] },
      { prefix: 'system', metrics: ['system/cpu'] }
    ]);
    expect(groupMetrics(metrics, ' VAL ', () => false)).toEqual([
      { prefix: 'val', metrics: ['val/loss'] }
    ]);
  });
});

describe('smoothing', () => {
  it('begins at the first value, and follows a constant exactly', () => {
    const found = smooth([0, 1, 2], [3, 3, 3], 0.9, 1);
    found.forEach(value => expect(value).toBeCloseTo(3, 12));
    expect(smooth([0, 1], [0, 1], 0.5, 1)[1]).toBeCloseTo(2 / 3, 12);
  });

  it('lets as much fade over a gap as over the points that were left out', () => {
    const whole = smooth([0, 1, 2, 3, 4], [1, 1, 1, 1, 0], 0.8, 1);
    const thinned = smooth([0, 3, 4], [1, 1, 0], 0.8, 1);
    expect(thinned.at(-1)).toBeCloseTo(whole.at(-1)!, 12);
  });

  it('passes over what is no number', () => {
    expect(smooth([0, 1, 2], [1, null, 1], 0.5, 1)).toEqual([1, null, 1]);
  });
});
