/** A place on the chain: `kind:name@version`, such as `data:builds@3`. */
export interface Ref {
  kind: string;
  name: string;
  /** Null where none is said: the newest. */
  version: number | null;
}

/** Read a reference; null for what is none. */
export function parseRef(text: string): Ref | null {
  const found = /^([a-z]+):(.+?)(?:@(\d+))?$/.exec(text);
  if (found === null) {
    return null;
  }
  const [, kind = '', name = '', version] = found;
  return { kind, name, version: version === undefined ? null : Number(version) };
}

export function formatRef(ref: Ref): string {
  return ref.version === null
    ? `${ref.kind}:${ref.name}`
    : `${ref.kind}:${ref.name}@${ref.version}`;
}
