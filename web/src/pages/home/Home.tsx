import { useAsk } from "@/api/query";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { useTitle } from "@/lib/title";
import { First } from "./First";
import { Overview } from "./Overview";

/** What goes on: or, where nothing has happened yet, how the first trace and the first verdict are made. */
export function Home() {
  useTitle("Home");
  const counts = useAsk("/api/v1/counts", undefined, { keep: true });
  const runs = useAsk("/api/v1/runs", { params: { query: { limit: 1 } } }, { keep: true });
  if (counts.error) return <ProblemNote error={counts.error} retry={counts.refetch} />;
  if (!counts.data || (!runs.data && !runs.error)) return <Waiting />;
  return counts.data.spans === 0 && !runs.data?.items.length ? <First /> : <Overview />;
}
