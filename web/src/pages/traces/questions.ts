import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { asks, queries, useAsk } from "@/api/query";
import { type Range, during } from "@/lib/range";
import { MINUTE } from "@/lib/time";
import { parseCondition } from "./filter";
import type { Tab } from "./routes";

export type Summary = Schemas["TraceSummary"];
export type Span = Schemas["StoredSpan"];
export type SessionRow = Schemas["SessionSummary"];
export type Score = Schemas["Score"];

const PAGE = 100;
const KEPT = { staleTime: 10_000, gcTime: 60_000 };

/** One question of the slow kind at a time: facets and counts look at every span, and there are few threads for them. */
let waiting: Promise<unknown> = Promise.resolve();
function inTurn<Found>(question: () => Promise<Found>): Promise<Found> {
  const asked = waiting.then(question, question);
  waiting = asked.catch(() => undefined);
  return asked;
}

const key = (...parts: unknown[]) => ["/api/v1/traces", currentProject() ?? null, ...parts];

export interface Asked {
  tab: Tab;
  filter: readonly string[];
  text?: string;
  range: Range;
}

/** Conditions of a list: its filter within its range. */
export function conditions({ filter, range }: Pick<Asked, "filter" | "range">): string[] {
  return [...filter, ...during(range)];
}

/** Rows of a list, page by page. What text is searched for gives the spans that have it. */
export function useRows(asked: Asked) {
  const { tab, text } = asked;
  const filter = conditions(asked);
  return useInfiniteQuery({
    queryKey: key("rows", tab, text ?? null, asked.filter, asked.range.name, asked.range.name.includes("..") ? asked.range.startNs : null),
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor, signal }): Promise<{ items: (Summary | Span | SessionRow)[]; cursor: string | null; pending?: number }> => {
      const query = { filter, limit: PAGE, cursor };
      if (text && tab !== "sessions") return ask(api.GET("/api/v1/search", { params: { query: { text, ...query } }, signal }));
      if (tab === "sessions") return ask(api.GET("/api/v1/sessions", { params: { query }, signal }));
      if (tab === "spans") return ask(api.GET("/api/v1/spans", { params: { query: { ...query, preview: true } }, signal }));
      return ask(api.GET("/api/v1/traces", { params: { query: { ...query, preview: true } }, signal }));
    },
    getNextPageParam: (page) => page.cursor ?? undefined,
    ...KEPT,
  });
}

export interface Totals {
  traces: number;
  errors: number;
  p50: number | null;
  p95: number | null;
  cost: string | null;
}

/** What happened in the range, whatever the filter. */
export function useTotals(range: Range) {
  return useQuery({
    queryKey: key("totals", range.startNs, range.endNs),
    queryFn: ({ signal }): Promise<Totals> =>
      inTurn(async () => {
        const within = during(range);
        const measure = ["count", "sum(error)", "p50(duration_ns)", "p95(duration_ns)"];
        const [entries] = await ask(api.GET("/api/v1/aggregate", { params: { query: { measure, filter: ["entry=true", ...within] } }, signal }));
        const [all] = await ask(api.GET("/api/v1/aggregate", { params: { query: { measure: ["sum(cost_usd)"], filter: within } }, signal }));
        const [traces, errors, p50, p95] = entries?.values ?? [];
        return { traces: Number(traces ?? 0), errors: Number(errors ?? 0), p50: p50 as number | null, p95: p95 as number | null, cost: (all?.values[0] as string | null | undefined) ?? null };
      }),
    placeholderData: keepPreviousData,
    ...KEPT,
  });
}

/** How many the filter keeps: traces, or spans. */
export function useKept({ tab, filter, range }: Asked, enabled: boolean) {
  const asked = [...(tab === "spans" ? [] : ["entry=true"]), ...conditions({ filter, range })];
  return useQuery({
    queryKey: key("kept", asked),
    queryFn: ({ signal }) => inTurn(async () => {
      const [found] = await ask(api.GET("/api/v1/aggregate", { params: { query: { measure: ["count"], filter: asked } }, signal }));
      return Number(found?.values[0] ?? 0);
    }),
    enabled,
    ...KEPT,
  });
}

export const BINS = 120;

/** Counts over the range in `BINS` steps, and the errors among them. */
function useHistogram({ tab, filter, range }: Asked, enabled = true) {
  const step = Math.ceil((range.endNs - range.startNs) / BINS);
  const asked = [...(tab === "spans" ? [] : ["entry=true"]), ...filter];
  return {
    step,
    ...useQuery({
      queryKey: key("histogram", asked, range.startNs, range.endNs),
      queryFn: ({ signal }) => inTurn(() => ask(api.GET("/api/v1/histogram", { params: { query: { start_ns: range.startNs, end_ns: range.endNs, step_ns: step, filter: asked } }, signal }))),
      placeholderData: keepPreviousData,
      enabled,
      ...KEPT,
    }),
  };
}

/** The histogram of the range or, where all that is there came at its end, of that end: looked for in two steps. */
export function useClose(asked: Asked) {
  const whole = useHistogram(asked);
  const nearRange = endOf(asked.range, whole.data?.[0]?.start_ns);
  const near = useHistogram({ ...asked, range: nearRange ?? asked.range }, nearRange !== undefined);
  const closeRange = nearRange && endOf(nearRange, near.isPlaceholderData ? undefined : near.data?.[0]?.start_ns);
  const close = useHistogram({ ...asked, range: closeRange ?? asked.range }, closeRange !== undefined);
  if (closeRange && close.data) return { ...close, range: closeRange };
  return nearRange && near.data ? { ...near, range: nearRange } : { ...whole, range: asked.range };
}

/** The end of a range from its first row on, where that comes late in it. */
function endOf(range: Range, first: number | undefined): Range | undefined {
  if (first === undefined || first - range.startNs < 0.7 * (range.endNs - range.startNs)) return undefined;
  const endNs = Math.min(range.endNs, Math.ceil((Date.now() * 1e6) / MINUTE) * MINUTE);
  const startNs = Math.floor((endNs - Math.max(1.05 * (endNs - first), 10 * MINUTE)) / MINUTE) * MINUTE;
  return startNs > range.startNs ? { ...range, startNs, endNs } : undefined;
}

/** The most frequent values of a field among what the other conditions keep. */
export function useFacet(field: string, { tab, filter, range }: Asked, enabled = true, limit = 8) {
  const others = filter.filter((one) => parseCondition(one)?.field !== field);
  const asked = [...(tab === "spans" ? [] : ["entry=true"]), ...conditions({ filter: others, range })];
  return useQuery({
    queryKey: key("facet", field, asked, limit),
    queryFn: ({ signal }) => inTurn(async (): Promise<Schemas["Facet"][]> => {
      if (field !== "error") return ask(api.GET("/api/v1/facets", { params: { query: { field, filter: asked, limit } }, signal }));
      const groups = await ask(api.GET("/api/v1/aggregate", { params: { query: { measure: ["count"], by: ["error"], filter: asked } }, signal }));
      return groups.map(({ keys, values }) => ({ value: String(keys[0]), spans: Number(values[0]) }));
    }),
    enabled,
    placeholderData: keepPreviousData,
    ...KEPT,
    staleTime: 30_000,
  });
}

const COUNT_EVERY_MS = 10_000;
let counted = 0;
let counting: ReturnType<typeof setTimeout> | undefined;

/** Counts the range anew, because something arrived: at once, but no more than every ten seconds. */
export function countAgain(): void {
  counting ??= setTimeout(() => {
    counting = undefined;
    counted = Date.now();
    void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "/api/v1/traces" && COUNTS.has(queryKey[2]) });
  }, Math.max(0, counted + COUNT_EVERY_MS - Date.now()));
}
const COUNTS = new Set<unknown>(["totals", "histogram", "kept"]);

/** The latest scores of anything, by trace: the last that was given first. */
export function useLatestScores(enabled: boolean): ReadonlyMap<string, Score> {
  const { data } = useQuery({
    queryKey: ["/api/v1/scores", currentProject() ?? null, "latest"],
    queryFn: async ({ signal }) => {
      const scores = await ask(api.GET("/api/v1/scores", { params: { query: { limit: 1000 } }, signal }));
      const found = new Map<string, Score>();
      for (const score of scores) if (score.trace_id && !found.has(score.trace_id)) found.set(score.trace_id, score);
      return found;
    },
    enabled,
    refetchInterval: 15_000,
    ...KEPT,
  });
  return data ?? NONE;
}
const NONE: ReadonlyMap<string, Score> = new Map();

/** A trace as it is drawn. One that may still grow is asked for again, while it is in front. */
export function useOutline(id: string) {
  return useQuery({
    ...asks("/api/v1/traces/{trace_id}/outline", { params: { path: { trace_id: id }, query: { wait: 2 } } }),
    structuralSharing: false, // to compare ten thousand spans one by one takes longer than to draw them
    refetchInterval: ({ state: { data } }) => (data && mayGrow(data) ? 2_000 : false),
  });
}

const GROWING_MS = 60_000;
const SMALL = 2_000;

/** Whether spans of it may still come: it began or goes on a moment ago, and is short enough to be asked for often. */
function mayGrow({ start_ns, duration_ns, spans }: Schemas["Outline"]): boolean {
  return spans <= SMALL && Date.now() - (start_ns + duration_ns) / 1e6 < GROWING_MS;
}

export function useScores(trace: string) {
  return useAsk("/api/v1/scores", { params: { query: { trace_id: trace } } });
}

export function useSpan(trace: string, span: string | undefined) {
  return useAsk("/api/v1/traces/{trace_id}/spans/{span_id}/detail", { params: { path: { trace_id: trace, span_id: span ?? "" } } }, { enabled: span !== undefined, keep: true });
}
