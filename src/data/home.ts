/**
 * The project that a file is registered in: the one that it lies in, the innermost of several;
 * else the current one, whose server says what it thinks of the file.
 */
export function homeOf(
  file: string,
  current: string | null,
  projects: readonly string[]
): string | null {
  const around = projects.filter(path => path === '' || file.startsWith(path + '/'));
  return around.sort((a, b) => b.length - a.length)[0] ?? current;
}
