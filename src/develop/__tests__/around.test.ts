import { describe, expect, it } from 'vitest';

import type { Node, NodeKind } from '../../api';
import { aroundRuns } from '../around';
import { readPayload } from '../card';

function node(kind: NodeKind, name: string, version: number, facts = {}): Node {
  return { ref: `${kind}:${name}@${version}`, kind, name, version, at: version, by: 'x', facts };
}

describe('aroundRuns', () => {
  const nodes = [
    node('data', 'builds', 3),
    node('data', 'other', 1),
    node('run', 'r1', 1, { notebook: 'walk.ipynb' }),
    node('run', 'r2', 1, { notebook: 'else.ipynb' }),
    node('model', 'm', 1),
    node('model', 'm', 2),
    node('endpoint', 'e', 1),
    node('endpoint', 'e', 2)
  ];
  const edges = [
    { src: 'data:builds@3', dst: 'run:r1@1', role: 'read' },
    { src: 'data:other@1', dst: 'run:r2@1', role: 'read' },
    { src: 'run:r1@1', dst: 'model:m@1', role: 'made' },
    { src: 'run:r2@1', dst: 'model:m@2', role: 'made' },
    { src: 'model:m@1', dst: 'endpoint:e@1', role: 'serves' },
    { src: 'model:m@1', dst: 'endpoint:e@2', role: 'serves' }
  ];

  it('finds what the runs of one notebook read and made, and where it serves', () => {
    const { data, models, endpoints } = aroundRuns('walk.ipynb', nodes, edges);
    expect(data.map(one => one.ref)).toEqual(['data:builds@3']);
    expect(models.map(one => one.ref)).toEqual(['model:m@1']);
    expect(endpoints.map(one => one.ref)).toEqual(['endpoint:e@2']);
  });
});

describe('the payload of a card', () => {
  it('is three words, and nothing that only looks like them', () => {
    const payload = { project: '/p', run_id: 'a', name: '<b>' };
    expect(readPayload({ ...payload, more: 1 })).toEqual(payload);
    expect(readPayload({ ...payload, name: 1 })).toBeNull();
    expect(readPayload('run')).toBeNull();
    expect(readPayload(null)).toBeNull();
  });
});
