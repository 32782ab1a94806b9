/** Tags that MLflow and Perijove write by themselves. */
const TOOLS = /^(mlflow|perijove)\./;

type Tag = readonly [name: string, value: string];

/** A run's tags: what people wrote, and what tools did; each by its name. */
export function ownTags(tags: Readonly<Record<string, string>>): { own: Tag[]; others: Tag[] } {
  const sorted = Object.entries(tags).sort(([a], [b]) => a.localeCompare(b));
  return {
    own: sorted.filter(([key]) => !TOOLS.test(key)),
    others: sorted.filter(([key]) => TOOLS.test(key))
  };
}

/** Read `team: search`, `team=search` or a mere name; null for what has no name. */
export function readTag(text: string): { key: string; value: string } | null {
  const at = text.search(/[:=]/);
  const key = (at < 0 ? text : text.slice(0, at)).trim();
  return key === '' ? null : { key, value: at < 0 ? '' : text.slice(at + 1).trim() };
}
