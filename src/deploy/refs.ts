import { parseRef } from '../api/refs';

/** A reference without its kind, as people say it: `builds@3`. */
export function shortModel(ref: string): string {
  const parsed = parseRef(ref);
  return parsed === null || parsed.version === null ? ref : `${parsed.name}@${parsed.version}`;
}

/**
 * A path of the server as the project names it.
 *
 * @param path - Relative to the server's root.
 * @param project - The project's folder, relative to the server's root; empty for the root itself.
 * @returns the path relative to the project; empty for one that lies outside of it.
 */
export function pathInProject(path: string, project: string | null): string {
  if (project === null || project === '') {
    return project === null ? '' : path;
  }
  return path.startsWith(`${project}/`) ? path.slice(project.length + 1) : '';
}
