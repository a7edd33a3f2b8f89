/** What the days so far say about those to come. */
export interface Forecast {
  value: number;
  low: number;
  high: number;
}

/** Student's t for 95 %, two-sided, by degrees of freedom; published table. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086];

/** The sum of `ahead` days like those given, with the interval that 95 % of such sums fall into, were days independent:
 *  both the spread of the days to come and the error of the mean are in it. Undefined below three days. */
export function forecast(days: readonly number[], ahead: number): Forecast | undefined {
  const n = days.length;
  if (n < 3) return undefined;
  const mean = days.reduce((sum, one) => sum + one, 0) / n;
  const variance = days.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  const half = (T[n - 2] ?? 2.0) * Math.sqrt(variance * (ahead + ahead ** 2 / n));
  return { value: mean * ahead, low: Math.max(0, mean * ahead - half), high: mean * ahead + half };
}
