import { describe, expect, it } from 'vitest';

import { PALETTE, colorOf } from '../palette';

const LIGHT = '#ffffff';
const DARK = '#111111';

function linear(hex: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [red, green, blue];
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(left: string, right: string): number {
  const [high = 0, low = 0] = [left, right]
    .map(hex => {
      const [red, green, blue] = linear(hex);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** Viénot, Brettel and Mollon 1999: what an eye without one kind of cone sees. */
function seen(hex: string, eye: 'protan' | 'deutan'): [number, number, number] {
  const [red, green, blue] = linear(hex);
  return eye === 'protan'
    ? [
        0.1124 * red + 0.8876 * green,
        0.1124 * red + 0.8876 * green,
        0.004 * red - 0.004 * green + blue
      ]
    : [
        0.2925 * red + 0.7075 * green,
        0.2925 * red + 0.7075 * green,
        -0.0223 * red + 0.0223 * green + blue
      ];
}

/** Distance in OKLab, where 0.02 can just be told apart side by side. */
function distance(left: [number, number, number], right: [number, number, number]): number {
  const [l, r] = [left, right].map(([red, green, blue]) => {
    const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    const middle = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    return [
      0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
      1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
      0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short
    ];
  });
  return Math.hypot(...l!.map((value, index) => value - r![index]!));
}

describe('the palette', () => {
  it('stands out from both themes', () => {
    for (const color of PALETTE) {
      expect(contrast(color, LIGHT), `${color} on light`).toBeGreaterThanOrEqual(3);
      expect(contrast(color, DARK), `${color} on dark`).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(['protan', 'deutan'] as const)('can be told apart by %s eyes', eye => {
    for (const [index, left] of PALETTE.entries()) {
      for (const right of PALETTE.slice(index + 1)) {
        expect(distance(seen(left, eye), seen(right, eye)), `${left} and ${right}`).toBeGreaterThan(
          0.08
        );
      }
    }
  });

  it('gives a thing one colour, and eight things eight', () => {
    const ids = Array.from({ length: PALETTE.length }, (_, index) => `run-${index}`);
    const colors = ids.map(colorOf);
    expect(new Set(colors).size).toBe(PALETTE.length);
    expect(ids.map(colorOf)).toEqual(colors);
  });
});
