import { describe, expect, it } from 'vitest';

import { ALIAS } from '../aliases';

describe('an alias', () => {
  it('is a word that looks like no version', () => {
    for (const word of ['champion', 'best-2', 'A_b']) {
      expect(ALIAS.test(word)).toBe(true);
    }
    for (const word of ['v3', 'latest', '3', 'a b', '', '-x']) {
      expect(ALIAS.test(word)).toBe(false);
    }
  });

  it('is checked by a browser as by us', () => {
    expect(() => new RegExp(ALIAS.source, 'v')).not.toThrow();
  });
});
