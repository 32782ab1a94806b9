import { parseRef } from '../api/refs';

/** A reference without its kind, as people say it: `builds@3`. */
export function shortModel(ref: string): string {
  const parsed = parseRef(ref);
  return parsed === null || parsed.version === null ? ref : `${parsed.name}@${parsed.version}`;
}
