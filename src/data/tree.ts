import type { Dataset } from '../api';

/** Datasets from one place. */
export interface IPlace {
  /** A folder of the project, a bucket, a database; empty for what is curated. */
  location: string;
  datasets: readonly Dataset[];
}

/** More than these are found by typing. */
export const MOST = 300;

/**
 * The datasets by where they come from: what is curated first, then places by name.
 *
 * @param text - Only datasets with this in their name, description, columns or tags.
 *
 * @param tag - Only datasets with this tag; all when empty.
 */
export function placesOf(datasets: readonly Dataset[], text: string, tag: string): IPlace[] {
  const needle = text.trim().toLowerCase();
  const places = new Map<string, Dataset[]>();
  for (const dataset of datasets) {
    if ((tag === '' || dataset.tags.includes(tag)) && holds(dataset, needle)) {
      const location = placeOf(dataset);
      places.set(location, [...(places.get(location) ?? []), dataset]);
    }
  }
  return [...places]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([location, found]) => ({
      location,
      datasets: found.sort((a, b) => a.name.localeCompare(b.name))
    }));
}

/** All tags, most used first. */
export function tagsOf(datasets: readonly Dataset[]): string[] {
  const times = new Map<string, number>();
  datasets.forEach(({ tags }) => tags.forEach(tag => times.set(tag, (times.get(tag) ?? 0) + 1)));
  return [...times].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).map(([tag]) => tag);
}

/** Where a dataset comes from, without its own name. */
export function placeOf({ facts }: Dataset): string {
  if (facts.kind === 'curated' || facts.kind === 'quarantine') {
    return '';
  }
  const end = facts.path.replace(/\/+$/, '').lastIndexOf('/');
  return end <= 0 ? '.' : facts.path.slice(0, end);
}

function holds({ name, description, facts, tags }: Dataset, needle: string): boolean {
  return (
    needle === '' ||
    [name, description, facts.path, ...tags].some(text => text.toLowerCase().includes(needle)) ||
    facts.columns.some(column => column.name.toLowerCase().includes(needle))
  );
}
