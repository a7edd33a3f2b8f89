import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { type Range, during } from "@/lib/range";
import { DAY, HOUR } from "@/lib/time";
import type { By } from "./routes";

/** What one value of a field cost. `calls` are spans that tell tokens or a cost, `unpriced` those of them without one;
 *  `share` is of the whole. */
export interface Spend {
  value: string | null;
  usd: number;
  calls: number;
  unpriced: number;
  tokens: number;
  share: number;
  /** Dollars in the stretch before, of the same length. */
  before?: number;
}

export type Cell = { at: number; value: string | null; usd: number };
type Field = Exclude<By, "day">;

const asked = (range: Range, field: Field) => ({ params: { query: { start_ns: range.startNs, end_ns: range.endNs, by: field === "model" ? undefined : field } } });

function summed(mixes: readonly Schemas["Mix"][], field: Field): Map<string | null, Spend> {
  const found = new Map<string | null, Spend>();
  for (const mix of mixes) {
    const told = field === "model" ? mix.model : mix.value;
    const value = told === null ? null : String(told);
    const row = found.get(value) ?? { value, usd: 0, calls: 0, unpriced: 0, tokens: 0, share: 0 };
    row.usd += Number(mix.cost_usd);
    row.calls += mix.calls;
    row.unpriced += mix.unpriced;
    row.tokens += mix.input_tokens + mix.output_tokens;
    found.set(value, row);
  }
  return found;
}

/** Spend by a field, the most first, beside the stretch before. */
export function useSpend(range: Range, field: Field, enabled = true): { rows?: Spend[]; total?: Spend; error: unknown; retry: () => unknown } {
  const before: Range = { ...range, startNs: range.startNs - (range.endNs - range.startNs), endNs: range.startNs };
  const now = useAsk("/api/v1/cost/what-if", asked(range, field), { keep: true, every: 60_000, enabled });
  const then = useAsk("/api/v1/cost/what-if", asked(before, field), { keep: true, enabled: enabled && now.data !== undefined });
  if (!now.data) return { error: now.error, retry: now.refetch };
  const past = summed(then.data?.rows ?? [], field);
  const rows = [...summed(now.data.rows, field).values()].sort((one, other) => other.usd - one.usd || other.calls - one.calls);
  const total: Spend = { value: null, usd: 0, calls: 0, unpriced: 0, tokens: 0, share: 1, before: past.size ? Number(then.data?.cost_usd ?? 0) : undefined };
  for (const row of rows) for (const name of ["usd", "calls", "unpriced", "tokens"] as const) total[name] += row[name];
  for (const row of rows) {
    row.share = total.usd ? row.usd / total.usd : 0;
    row.before = past.get(row.value)?.usd;
  }
  return { rows, total, error: undefined, retry: now.refetch };
}

const MOST = 1000;

/** Spend by hour or day, and by a field where its values are few enough to be told apart. Days are those of UTC, as the
 *  store has them. */
export function useSpendOverTime(range: Range, field: Field): { cells?: Cell[]; told: boolean; step: number; from: number; to: number; error: unknown } {
  const step = range.endNs - range.startNs <= 2 * DAY ? HOUR : DAY;
  const from = Math.floor(range.startNs / step) * step;
  const to = Math.ceil(range.endNs / step) * step;
  const unit = step === HOUR ? "hour" : "day";
  const query = { measure: ["sum(cost_usd)"], filter: [...during(range), "cost_usd>0"], limit: MOST };
  const apart = useAsk("/api/v1/aggregate", { params: { query: { ...query, by: field === "model" ? [unit, "model", "model_asked"] : [unit, field] } } }, { keep: true, every: 60_000 });
  const told = !apart.error && (apart.data?.length ?? 0) < MOST;
  const whole = useAsk("/api/v1/aggregate", { params: { query: { ...query, by: [unit] } } }, { keep: true, enabled: !told });
  const { data, error } = told ? apart : whole;
  const text = (key: unknown) => (key === null || key === undefined ? null : String(key));
  const cells = data?.map(({ keys, values }) => ({ at: Number(keys[0]), value: told ? text(keys[1] ?? keys[2]) : "all", usd: Number(values[0] ?? 0) }));
  return { cells, told, step, from, to, error };
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
