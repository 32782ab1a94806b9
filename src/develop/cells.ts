/** A cell of a notebook, as far as it is compared with one that ran. */
export interface INotebookCell {
  code: boolean;
  /** Its execution count; null where it did not run. */
  number: number | null;
  source: string;
}

/**
 * The place of a cell that ran in a notebook as it is now: that with the same text, of several
 * that which ran last as this one, else the one with its number; -1 where there is none.
 */
export function cellAt(
  cells: readonly INotebookCell[],
  wanted: { number: number; source: string }
): number {
  const text = wanted.source.trim();
  const same = cells
    .map((cell, index) => ({ cell, index }))
    .filter(({ cell }) => cell.code && text !== '' && cell.source.trim() === text);
  const found = same.find(({ cell }) => cell.number === wanted.number) ?? same[0];
  return found?.index ?? cells.findIndex(cell => cell.code && cell.number === wanted.number);
}

/** A run's name as the name of a file. */
export function fileName(name: string): string {
  const safe = name
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return safe === '' ? 'run' : safe;
}

/** The first line of a cell that says something: not empty, and no comment. */
export function firstLine(source: string): string {
  const lines = source.split('\n').map(line => line.trim());
  return lines.find(line => line !== '' && !line.startsWith('#')) ?? lines.find(Boolean) ?? '';
}
