import type { ModelVersion } from '../api';

/** The alias of the version that counts. */
export const CHAMPION = 'champion';

/** What can be an alias; the server has the last word. */
export const ALIAS = /^(?!v\d+$)(?!latest$)[A-Za-z](?:\w|-){0,62}$/;

/** The version that an alias stands for. */
export function holderOf(
  alias: string,
  versions: readonly ModelVersion[]
): ModelVersion | undefined {
  return versions.find(version => version.aliases.includes(alias));
}
