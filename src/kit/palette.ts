/**
 * Colours of series: told apart by colour-blind eyes, and at least 3:1 against both themes.
 */
export const PALETTE: readonly string[] = [
  '#1e96ff',
  '#f06900',
  '#699678',
  '#785ad2',
  '#b42d69',
  '#0f6996',
  '#d269c3',
  '#875a00'
];

const taken = new Map<string, number>();

/**
 * The colour of a thing, by its identifier. It keeps it everywhere in this tab; a new thing takes
 * the colour that its name points to, or else the next that fewest others have.
 */
export function colorOf(id: string): string {
  let slot = taken.get(id);
  if (slot === undefined) {
    const uses = PALETTE.map(() => 0);
    for (const used of taken.values()) {
      uses[used] = (uses[used] ?? 0) + 1;
    }
    const fewest = Math.min(...uses);
    slot = hash(id) % PALETTE.length;
    while (uses[slot] !== fewest) {
      slot = (slot + 1) % PALETTE.length;
    }
    taken.set(id, slot);
  }
  return PALETTE[slot] ?? '';
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  }
  return value >>> 0;
}
