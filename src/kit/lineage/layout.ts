import type { Edge, Lineage, Node, NodeKind } from '../../api/types';

/** The earliest column that a kind of node stands in. */
export const RANK: Record<NodeKind, number> = {
  signoff: 0,
  source: 0,
  data: 0,
  quality: 1,
  proof: 1,
  split: 1,
  run: 2,
  recipe: 3,
  certificate: 3,
  model: 3,
  evaluation: 4,
  endpoint: 4,
  outcomes: 5
};

export const BOX = { width: 152, height: 40, gapX: 36, gapY: 24, margin: 20 };

export interface Placed {
  node: Node;
  x: number;
  y: number;
}

export interface Layout {
  nodes: readonly Placed[];
  edges: readonly Edge[];
  width: number;
  height: number;
}

/**
 * Put the chain into columns from left to right: each node right of all that led to it, and
 * within its column near to what it is connected with (the barycentre method, four sweeps).
 */
export function layOut(lineage: Lineage): Layout {
  const { before, after } = neighbours(lineage.edges);
  const columns = columnsOf(lineage.nodes, before);
  const order = new Map<string, number>();
  for (const column of columns) {
    column.sort((left, right) => left.at - right.at);
    column.forEach((node, index) => order.set(node.ref, index));
  }
  for (let sweep = 0; sweep < 4; sweep += 1) {
    const forward = sweep % 2 === 0;
    const toward = forward ? before : after;
    for (const column of forward ? columns : [...columns].reverse()) {
      const weights = new Map(
        column.map(node => [node.ref, centre(toward.get(node.ref) ?? [], order, node.ref)])
      );
      column.sort((left, right) => (weights.get(left.ref) ?? 0) - (weights.get(right.ref) ?? 0));
      column.forEach((node, index) => order.set(node.ref, index));
    }
  }
  const tallest = Math.max(1, ...columns.map(column => column.length));
  const stepX = BOX.width + BOX.gapX;
  const stepY = BOX.height + BOX.gapY;
  const nodes = columns.flatMap((column, index) => {
    const shift = ((tallest - column.length) * stepY) / 2;
    return column.map((node, place) => ({
      node,
      x: BOX.margin + index * stepX,
      y: BOX.margin + shift + place * stepY
    }));
  });
  return {
    nodes,
    edges: lineage.edges,
    width: 2 * BOX.margin + Math.max(1, columns.length) * stepX - BOX.gapX,
    height: 2 * BOX.margin + tallest * stepY - BOX.gapY
  };
}

/** The newest nodes, where there are too many to look at. What is selected stays. */
export function newest(lineage: Lineage, most: number, keep: ReadonlySet<string>): Lineage {
  if (lineage.nodes.length <= most) {
    return lineage;
  }
  const nodes = [...lineage.nodes]
    .sort(
      (left, right) =>
        Number(keep.has(right.ref)) - Number(keep.has(left.ref)) || right.at - left.at
    )
    .slice(0, most);
  const refs = new Set(nodes.map(node => node.ref));
  return {
    ...lineage,
    nodes,
    edges: lineage.edges.filter(edge => refs.has(edge.src) && refs.has(edge.dst))
  };
}

/** Two parts of the chain as one. */
export function joined(left: Lineage, right: Lineage): Lineage {
  const refs = new Set(left.nodes.map(node => node.ref));
  const ties = new Set(left.edges.map(tieOf));
  const nodes = right.nodes.filter(node => !refs.has(node.ref));
  const edges = right.edges.filter(edge => !ties.has(tieOf(edge)));
  return nodes.length === 0 && edges.length === 0
    ? left
    : { ...left, nodes: [...left.nodes, ...nodes], edges: [...left.edges, ...edges] };
}

function tieOf({ src, dst, role }: Edge): string {
  return `${src} ${dst} ${role}`;
}

/**
 * Where an arrow key leads: right and left along the edges, up and down within the column; the
 * nearest of several.
 */
export function walk(layout: Layout, from: Placed, key: string): Placed | undefined {
  const ref = from.node.ref;
  const near = (placed: readonly Placed[]): Placed | undefined =>
    [...placed].sort((a, b) => Math.abs(a.y - from.y) - Math.abs(b.y - from.y) || a.x - b.x)[0];
  const among = (refs: readonly string[]): Placed[] =>
    layout.nodes.filter(placed => refs.includes(placed.node.ref));
  switch (key) {
    case 'ArrowRight':
      return near(among(layout.edges.filter(edge => edge.src === ref).map(edge => edge.dst)));
    case 'ArrowLeft':
      return near(among(layout.edges.filter(edge => edge.dst === ref).map(edge => edge.src)));
    case 'ArrowDown':
      return near(layout.nodes.filter(one => one.x === from.x && one.y > from.y));
    case 'ArrowUp':
      return near(layout.nodes.filter(one => one.x === from.x && one.y < from.y));
    default:
      return undefined;
  }
}

/** A node with everything that led to it and everything that came of it. */
export function related(edges: readonly Edge[], ref: string): Set<string> {
  const { before, after } = neighbours(edges);
  const found = new Set([ref]);
  for (const toward of [before, after]) {
    const queue = [ref];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const next of toward.get(at) ?? []) {
        if (!found.has(next)) {
          found.add(next);
          queue.push(next);
        }
      }
    }
  }
  return found;
}

type Neighbours = Map<string, string[]>;

function neighbours(edges: readonly Edge[]): { before: Neighbours; after: Neighbours } {
  const before: Neighbours = new Map();
  const after: Neighbours = new Map();
  for (const { src, dst } of edges) {
    before.set(dst, [...(before.get(dst) ?? []), src]);
    after.set(src, [...(after.get(src) ?? []), dst]);
  }
  return { before, after };
}

/** Nodes by column; columns that nobody stands in are left out. */
function columnsOf(nodes: readonly Node[], before: Neighbours): Node[][] {
  const byRef = new Map(nodes.map(node => [node.ref, node]));
  const depths = new Map<string, number>();
  // Curated data stands right of its inputs, and all other kinds right of the last of the data.
  let shift = 0;
  const depth = (node: Node): number => {
    const known = depths.get(node.ref);
    if (known !== undefined) {
      return known;
    }
    const least = RANK[node.kind] + (node.kind === 'data' ? 0 : shift);
    // The chain has no cycle; this only keeps a broken ledger from hanging the page.
    depths.set(node.ref, least);
    const inputs = (before.get(node.ref) ?? []).flatMap(ref => byRef.get(ref) ?? []);
    const most = Math.max(least, ...inputs.map(input => depth(input) + 1));
    depths.set(node.ref, most);
    return most;
  };
  shift = Math.max(0, ...nodes.filter(node => node.kind === 'data').map(depth));
  const columns: Node[][] = [];
  for (const node of nodes) {
    (columns[depth(node)] ??= []).push(node);
  }
  return Array.from(columns, column => column ?? []).filter(column => column.length > 0);
}

function centre(refs: readonly string[], order: Map<string, number>, self: string): number {
  const places = refs.map(ref => order.get(ref)).filter(place => place !== undefined);
  return places.length === 0
    ? (order.get(self) ?? 0)
    : places.reduce((sum, place) => sum + place, 0) / places.length;
}
