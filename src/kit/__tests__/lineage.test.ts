import { describe, expect, it } from 'vitest';

import type { Edge, Lineage, Node, NodeKind } from '../../api';
import { BOX, joined, layOut, newest, related, walk, type Placed } from '../lineage/layout';

function node(ref: string, at = 0): Node {
  const [kind = '', rest = ''] = ref.split(':');
  const [name = '', version = '1'] = rest.split('@');
  return { ref, kind: kind as NodeKind, name, version: Number(version), at, by: 'ada', facts: {} };
}

function chain(refs: string[], edges: [string, string][]): Lineage {
  return {
    focus: null,
    nodes: refs.map((ref, index) => node(ref, index)),
    edges: edges.map(([src, dst]): Edge => ({ src, dst, role: 'led to' }))
  };
}

const WALK = chain(
  [
    'data:raw@1',
    'data:clean@1',
    'split:clean@1',
    'run:a@1',
    'run:b@1',
    'model:m@1',
    'endpoint:e@1'
  ],
  [
    ['data:raw@1', 'data:clean@1'],
    ['data:clean@1', 'split:clean@1'],
    ['split:clean@1', 'run:a@1'],
    ['run:a@1', 'model:m@1'],
    ['model:m@1', 'endpoint:e@1']
  ]
);

function place(lineage: Lineage): Map<string, { x: number; y: number }> {
  return new Map(layOut(lineage).nodes.map(({ node: { ref }, x, y }) => [ref, { x, y }]));
}

describe('layOut', () => {
  it('puts each node right of all that led to it', () => {
    const places = place(WALK);
    for (const { src, dst } of WALK.edges) {
      expect(places.get(dst)!.x).toBeGreaterThan(places.get(src)!.x);
    }
  });

  it('keeps a kind in one column, whatever led to it', () => {
    const places = place(WALK);
    expect(places.get('run:b@1')!.x).toBe(places.get('run:a@1')!.x);
  });

  it('lets no two boxes touch, and all of them fit', () => {
    const refs = Array.from({ length: 12 }, (_, index) => `run:r${index}@1`);
    const layout = layOut(
      chain(
        ['data:d@1', ...refs],
        refs.map(ref => ['data:d@1', ref])
      )
    );
    const runs = layout.nodes.filter(placed => placed.node.kind === 'run');
    const tops = runs.map(placed => placed.y).sort((a, b) => a - b);
    tops.slice(1).forEach((top, index) => {
      expect(top - tops[index]!).toBeGreaterThanOrEqual(BOX.height);
    });
    for (const { x, y } of layout.nodes) {
      expect(x + BOX.width).toBeLessThan(layout.width);
      expect(y + BOX.height).toBeLessThan(layout.height);
    }
  });

  it('puts nodes beside what they are connected with', () => {
    const lineage = chain(
      ['data:a@1', 'data:b@1', 'split:b@1', 'split:a@1'],
      [
        ['data:a@1', 'split:a@1'],
        ['data:b@1', 'split:b@1']
      ]
    );
    const places = place(lineage);
    expect(places.get('split:a@1')!.y).toBe(places.get('data:a@1')!.y);
    expect(places.get('split:b@1')!.y).toBe(places.get('data:b@1')!.y);
  });

  it('survives a cycle, which only a broken ledger has', () => {
    const lineage = chain(
      ['data:a@1', 'data:b@1'],
      [
        ['data:a@1', 'data:b@1'],
        ['data:b@1', 'data:a@1']
      ]
    );
    expect(layOut(lineage).nodes).toHaveLength(2);
  });
});

describe('what is near', () => {
  it('is every ancestor and every descendant, and no sibling', () => {
    expect(related(WALK.edges, 'run:a@1')).toEqual(
      new Set(WALK.nodes.map(one => one.ref).filter(ref => ref !== 'run:b@1'))
    );
  });

  it('stays when only the newest are shown', () => {
    const shown = newest(WALK, 3, new Set(['data:raw@1']));
    expect(shown.nodes.map(one => one.ref).sort()).toEqual([
      'data:raw@1',
      'endpoint:e@1',
      'model:m@1'
    ]);
    expect(shown.edges).toEqual([{ src: 'model:m@1', dst: 'endpoint:e@1', role: 'led to' }]);
  });
});

describe('walking', () => {
  const node = (ref: string, kind: Node['kind']): Node => ({
    ref,
    kind,
    name: ref,
    version: 1,
    at: 0,
    by: 'ann',
    facts: {}
  });
  const lineage = {
    focus: null,
    nodes: [
      node('data:a@1', 'data'),
      node('data:b@1', 'data'),
      node('run:r@1', 'run'),
      node('run:s@1', 'run')
    ],
    edges: [
      { src: 'data:a@1', dst: 'run:r@1', role: 'read' },
      { src: 'data:b@1', dst: 'run:s@1', role: 'read' }
    ]
  };
  const layout = layOut(lineage);
  const at = (ref: string): Placed => layout.nodes.find(placed => placed.node.ref === ref)!;

  it('goes along the edges sideways, and within a column up and down', () => {
    expect(walk(layout, at('data:a@1'), 'ArrowRight')?.node.ref).toBe('run:r@1');
    expect(walk(layout, at('run:s@1'), 'ArrowLeft')?.node.ref).toBe('data:b@1');
    expect(walk(layout, at('data:a@1'), 'ArrowLeft')).toBeUndefined();
    const down = walk(layout, at('run:r@1'), 'ArrowDown') ?? walk(layout, at('run:r@1'), 'ArrowUp');
    expect(down?.node.ref).toBe('run:s@1');
    expect(walk(layout, at('run:r@1'), 'Tab')).toBeUndefined();
  });

  it('joins two parts without drawing anything twice', () => {
    const part = {
      focus: null,
      nodes: [...lineage.nodes.slice(2), node('model:m@1', 'model')],
      edges: [...lineage.edges, { src: 'run:r@1', dst: 'model:m@1', role: 'made' }]
    };
    const both = joined(lineage, part);
    expect(both.nodes).toHaveLength(5);
    expect(both.edges).toHaveLength(3);
    expect(joined(lineage, lineage)).toBe(lineage);
  });
});
