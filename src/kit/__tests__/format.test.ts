import { describe, expect, it } from 'vitest';

import { bytes, count, duration, figure, full, percent, relative } from '../format';

describe('figures', () => {
  it.each([
    [0.712345, '0.712'],
    [12.345, '12.3'],
    [1234.5, '1,235'],
    [0, '0'],
    [-0.5, '−0.5'],
    [0.0000123, '1.23e−5'],
    [2.5e12, '2.50e12'],
    ['NaN', 'NaN'],
    ['-Infinity', '−∞'],
    [null, '–']
  ] as const)('shows %s as %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('keeps all digits for the tooltip', () => {
    expect(full(0.7123456789)).toBe('0.7123456789');
    expect(full(null)).toBe('');
  });
});

describe('sizes, counts and shares', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KB'],
    [1536, '1.5 KB'],
    [10.5 * 2 ** 20, '10.5 MB'],
    [24 * 2 ** 30, '24.0 GB'],
    [252.4 * 2 ** 30, '252 GB']
  ])('shows %s bytes as %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it('groups digits and shows shares as percentages', () => {
    expect(count(100_000_000)).toBe('100,000,000');
    expect(percent(0.625)).toBe('63 %');
    expect(percent(0.625, 1)).toBe('62.5 %');
  });
});

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [1.234, '1.2 ms'],
    [450, '450 ms'],
    [3200, '3.2 s'],
    [70_000, '1 m 10 s'],
    [59_700, '1 m'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 m'],
    [273_600_000, '3 d 4 h']
  ])('shows %s ms as %s', (value, text) => {
    expect(duration(value)).toBe(text);
  });

  it('tells how long ago something was, and the date when that is long', () => {
    const now = Date.UTC(2026, 10, 24);
    expect(relative(now - 5_000, now)).toBe('now');
    expect(relative(now - 120_000, now)).toBe('2 min. ago');
    expect(relative(now - 3 * 3_600_000, now)).toBe('3 hr. ago');
    expect(relative(now - 90 * 86_400_000, now)).toMatch(/2026/);
  });
});
