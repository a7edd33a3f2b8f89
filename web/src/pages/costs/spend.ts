import { useAsk } from "@/api/query";
import { type Range, during } from "@/lib/range";
import { DAY, HOUR } from "@/lib/time";
import type { By } from "./routes";

/** What one value of a field cost. `calls` are the spans with a cost, `share` is of the whole. */
export interface Spend {
  value: string | null;
  usd: number;
  calls: number;
  unpriced: number;
  tokens: number;
  share: number;
  /** In the stretch before of the same length; undefined where nothing was. */
  before?: number;
}

export type Cell = { at: number; value: string | null; usd: number };

const MEASURES = ["sum(cost_usd)", "count(cost_usd)", "count", "sum(input_tokens)", "sum(output_tokens)"];

const numbers = (values: readonly (number | string | null)[]) => values.map((value) => (value === null ? 0 : Number(value)));

/** Calls to models cost; what is around them does not, and is not missing a price. */
const CALLS = "model!=";

/** Spend by a field, the most first, beside the stretch before. */
export function useSpend(range: Range, by: Exclude<By, "day">): { rows?: Spend[]; total?: Spend; error: unknown; retry: () => unknown } {
  const before: Range = { ...range, startNs: range.startNs - (range.endNs - range.startNs), endNs: range.startNs };
  const now = useAsk("/api/v1/aggregate", { params: { query: { measure: MEASURES, by: [by], filter: [...during(range), CALLS], limit: 500 } } }, { keep: true });
  const then = useAsk("/api/v1/aggregate", { params: { query: { measure: ["sum(cost_usd)"], by: [by], filter: [...during(before), CALLS], limit: 500 } } }, { keep: true });
  if (!now.data) return { error: now.error, retry: now.refetch };
  const past = new Map(then.data?.map(({ keys, values }) => [keys[0] ?? null, Number(values[0] ?? 0)]));
  const rows = now.data.map(({ keys, values }): Spend => {
    const [usd = 0, calls = 0, spans = 0, input = 0, output = 0] = numbers(values);
    const value = keys[0] === null || keys[0] === undefined ? null : String(keys[0]);
    return { value, usd, calls, unpriced: spans - calls, tokens: input + output, share: 0, before: past.get(value) };
  });
  const total: Spend = { value: null, usd: 0, calls: 0, unpriced: 0, tokens: 0, share: 1, before: past.size ? [...past.values()].reduce((sum, one) => sum + one, 0) : undefined };
  for (const row of rows) for (const field of ["usd", "calls", "unpriced", "tokens"] as const) total[field] += row[field];
  for (const row of rows) row.share = total.usd ? row.usd / total.usd : 0;
  return { rows: rows.filter(({ usd, calls, unpriced }) => usd || calls || unpriced).sort((one, other) => other.usd - one.usd), total, error: undefined, retry: now.refetch };
}

/** Spend by hour or day, and by a field. Days are those of UTC, as the store has them. */
export function useSpendOverTime(range: Range, by: Exclude<By, "day"> | undefined): { cells?: Cell[]; step: number; from: number; to: number; error: unknown } {
  const step = range.endNs - range.startNs <= 2 * DAY ? HOUR : DAY;
  const from = Math.floor(range.startNs / step) * step;
  const to = Math.ceil(range.endNs / step) * step;
  const unit = step === HOUR ? "hour" : "day";
  const { data, error } = useAsk("/api/v1/aggregate", { params: { query: { measure: ["sum(cost_usd)"], by: by ? [unit, by] : [unit], filter: [...during(range), CALLS], limit: 1000 } } }, { keep: true });
  const cells = data?.map(({ keys, values }) => ({ at: Number(keys[0]), value: by && keys[1] !== null && keys[1] !== undefined ? String(keys[1]) : null, usd: Number(values[0] ?? 0) }));
  return { cells, step, from, to, error };
}

/** The sums of whole days, oldest first, without the one that is not over. */
export function wholeDays(cells: readonly Cell[], from: number, to: number, now: number): number[] {
  const sums = new Map<number, number>();
  for (const { at, usd } of cells) sums.set(at, (sums.get(at) ?? 0) + usd);
  const first = Math.min(...sums.keys());
  const found: number[] = [];
  for (let at = Math.max(from, Number.isFinite(first) ? first : to); at + DAY <= Math.min(to, now); at += DAY) found.push(sums.get(at) ?? 0);
  return found;
}

export function filterOf(field: string, value: string | null): string {
  return `${field}=${value ?? ""}`;
}
