import { inWords } from './names';

/** What is being typed, and what it may become. */
export interface Completion {
  /** Where the unfinished name begins and ends in the text. */
  start: number;
  end: number;
  /** Names of columns as filter words have them, the likeliest first. */
  names: string[];
}

const MOST = 8;
const KINDS = ['metrics.', 'params.', 'tags.', 'attributes.'];

/** Names of columns that fit what stands before the caret; null where a name makes no sense. */
export function complete(
  text: string,
  caret: number,
  columns: readonly string[]
): Completion | null {
  const before = text.slice(0, caret);
  // Not in a text, and not behind an operator, where a value is wanted.
  if ((before.match(/'/g) ?? []).length % 2 === 1 || /(?:[<>=!]|\blike)\s*[^\s]*$/i.test(before)) {
    return null;
  }
  const typed = /[\w./`-]*$/.exec(before)?.[0] ?? '';
  if (typed.length < 2) {
    return null;
  }
  const needle = typed.replace(/`/g, '').toLowerCase();
  const kind = KINDS.find(one => needle.startsWith(one)) ?? '';
  const key = needle.slice(kind.length);
  const scored = columns
    .filter(column => column.startsWith(kind))
    .map(column => ({
      column,
      at: column
        .slice(column.indexOf('.') + 1)
        .toLowerCase()
        .indexOf(key)
    }))
    .filter(({ column, at }) => at >= 0 || column.toLowerCase().startsWith(needle))
    .sort((a, b) => Number(a.at !== 0) - Number(b.at !== 0));
  const names = scored.slice(0, MOST).map(({ column }) => inWords(column));
  return names.length === 0 || (names.length === 1 && names[0] === typed)
    ? null
    : { start: caret - typed.length, end: caret, names };
}
