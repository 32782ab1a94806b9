import type { Edge, Node } from '../api';

/** What lies around the runs of a notebook on the chain, the newest first. */
export interface IAround {
  data: Node[];
  models: Node[];
  /** The newest revision of each endpoint that serves one of the models. */
  endpoints: Node[];
}

export function aroundRuns(
  notebook: string,
  nodes: readonly Node[],
  edges: readonly Edge[]
): IAround {
  const byRef = new Map(nodes.map(node => [node.ref, node]));
  const runs = nodes.filter(
    node => node.kind === 'run' && (node.facts as Record<string, unknown>)['notebook'] === notebook
  );
  const isRun = new Set(runs.map(node => node.ref));
  const data = new Set<Node>();
  const models = new Set<Node>();
  for (const { src, dst } of edges) {
    const before = byRef.get(src);
    const after = byRef.get(dst);
    if (isRun.has(dst) && before?.kind === 'data') {
      data.add(before);
    }
    if (isRun.has(src) && after?.kind === 'model') {
      models.add(after);
    }
  }
  const made = new Set([...models].map(node => node.ref));
  const endpoints = new Map<string, Node>();
  for (const { src, dst } of edges) {
    const after = byRef.get(dst);
    if (made.has(src) && after?.kind === 'endpoint') {
      const known = endpoints.get(after.name);
      if (known === undefined || known.version < after.version) {
        endpoints.set(after.name, after);
      }
    }
  }
  const newest = (found: Iterable<Node>): Node[] => [...found].sort((a, b) => b.at - a.at);
  return { data: newest(data), models: newest(models), endpoints: newest(endpoints.values()) };
}
