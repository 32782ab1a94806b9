/** What of a target's JSON Schema decides whether there is anything to ask. */

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a schema has a property to fill in, be it behind a reference into itself. */
export function asksAnything(schema: unknown): boolean {
  let node = schema;
  const seen = new Set<unknown>();
  while (isRecord(node) && typeof node.$ref === 'string' && !seen.has(node)) {
    seen.add(node);
    node = node.$ref
      .replace(/^#\/?/, '')
      .split('/')
      .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), schema);
  }
  return isRecord(node) && isRecord(node.properties) && Object.keys(node.properties).length > 0;
}
