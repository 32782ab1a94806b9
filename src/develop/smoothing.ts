/**
 * A moving average that older values fade out of, corrected for its start as TensorBoard does it.
 *
 * @param weight - How much of the old is kept from one point to the next, in [0, 1).
 * @param unit - The distance of two points of the whole curve: where points were left out, as many
 *   steps fade at once, so that a thinned curve is smoothed as the whole one would be.
 */
export function smooth(
  x: readonly number[],
  y: readonly (number | null)[],
  weight: number,
  unit: number
): (number | null)[] {
  let sum = 0;
  let kept = 0;
  let before: number | undefined;
  return y.map((value, index) => {
    if (value === null) {
      return null;
    }
    const at = x[index]!;
    const steps = before === undefined || unit <= 0 ? 1 : Math.max(1, (at - before) / unit);
    before = at;
    const fade = Math.pow(weight, steps);
    sum = fade * sum + (1 - fade) * value;
    kept = fade * kept + (1 - fade);
    return sum / kept;
  });
}
