/** A value measured at a time, in any units. */
export type Sample = readonly [time: number, value: number];

/**
 * How much the regression line of `samples` rises over their whole time, as a part of their mean: 0.1 is a tenth.
 * It is 0 for fewer than two samples.
 */
export function relativeRise(samples: readonly Sample[]): number {
  const count = samples.length;
  if (count < 2) return 0;
  const meanTime = samples.reduce((sum, [time]) => sum + time, 0) / count;
  const mean = samples.reduce((sum, [, value]) => sum + value, 0) / count;
  let [covariance, variance] = [0, 0];
  for (const [time, value] of samples) {
    covariance += (time - meanTime) * (value - mean);
    variance += (time - meanTime) ** 2;
  }
  const span = samples.at(-1)![0] - samples[0]![0];
  return variance === 0 || mean === 0 ? 0 : covariance / variance * span / mean;
}
