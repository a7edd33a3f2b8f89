import { useAsk } from "@/api/query";

const MOST = 100;
const said = (page: { items: readonly unknown[]; cursor: string | null } | undefined) => (!page || page.items.length === 0 ? "" : page.cursor ? `${MOST}+` : String(page.items.length));

/** How much there is in the places that can be counted; empty until it is known, and for none. */
export function useCounts(): { datasets: string; experiments: string } {
  const query = { params: { query: { limit: MOST } } };
  const datasets = useAsk("/api/v1/datasets", query, { every: 60_000 });
  const comparisons = useAsk("/api/v1/comparisons", query, { every: 60_000 });
  return { datasets: said(datasets.data), experiments: said(comparisons.data) };
}
