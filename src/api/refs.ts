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

/** `builds v3` for `data:builds@3`, everywhere; a run by the head of its identifier. */
export function refText(text: string): string {
  const ref = parseRef(text);
  if (ref === null) {
    return text;
  }
  if (ref.kind === 'run') {
    return ref.name.slice(0, 8);
  }
  return ref.version === null ? ref.name : versionText(ref.name, ref.version);
}

/** A version of something as people say it: `builds v3`. */
export function versionText(name: string, version: number): string {
  return `${name} v${version}`;
}

export function formatRef(ref: Ref): string {
  return ref.version === null
    ? `${ref.kind}:${ref.name}`
    : `${ref.kind}:${ref.name}@${ref.version}`;
}
