import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { Progress } from "@/components/Charts";
import { type Column, DataTable } from "@/components/DataTable";
import { ProblemNote } from "@/components/Problem";
import { Empty, Waiting } from "@/components/Section";
import { Twin } from "@/components/Twin";
import { Id, Money } from "@/components/Values";
import { count } from "@/lib/format";
import { Ago } from "./Marks";

type Run = Schemas["RunEntry"];

const COLUMNS: readonly Column<Run>[] = [
  { id: "variant", head: "variant", row: true, cell: (run) => <Link to="/runs/$id" params={{ id: run.id }} search={{}}><bdi>{run.variant.name}</bdi></Link>, className: "clip" },
  { id: "dataset", head: "dataset", cell: ({ dataset, version }) => <><bdi>{dataset}</bdi> <span className="mono mut">{version.slice(0, 8)}</span></>, className: "clip hide-s" },
  { id: "state", head: "state", cell: ({ state, counts }) => (state === "finished" ? <span className="mut">finished</span> : <span className="nw"><Progress of={counts.asked ? counts.trials / counts.asked : 0} name={state} /> {state}</span>), width: "190px" },
  { id: "trials", head: "trials", num: true, cell: ({ counts }) => count(counts.trials), width: "90px" },
  { id: "errors", head: "errors", num: true, cell: ({ counts }) => <span className={counts.errors ? "bad" : "mut"} title={Object.entries(counts.failures).map(([kind, many]) => `${many} ${kind}`).join(", ")}>{count(counts.errors)}</span>, width: "80px" },
  { id: "reused", head: "reused", num: true, cell: ({ counts }) => count(counts.reused), className: "hide-s", width: "80px" },
  { id: "spent", head: "spent", num: true, cell: ({ counts }) => <Money usd={counts.spent_usd} />, width: "90px" },
  { id: "began", head: "began", num: true, cell: ({ started_at }) => <Ago at={started_at} />, width: "100px" },
  { id: "id", head: "id", cell: ({ id }) => <Id id={id} />, className: "hide-s lead", width: "110px" },
];

/** All runs, the newest first. */
export function Runs({ dataset, variant }: { dataset?: string; variant?: string }) {
  const navigate = useNavigate();
  const found = useInfiniteQuery({
    queryKey: ["/api/v1/runs", currentProject() ?? null, "list", dataset ?? null, variant ?? null],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/runs", { params: { query: { dataset, variant, limit: 50, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  const runs = found.data?.pages.flatMap(({ items }) => items) ?? [];
  if (found.isPending) return <Waiting what="Reading the runs" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  if (!runs.length) return <Empty title={<>Nothing was run yet: every comparison and every <code>boxscore run</code> leaves its runs here.</>} />;
  return (
    <>
      <DataTable name="Runs" rows={runs} columns={COLUMNS} rowKey={({ id }) => id} keys open={({ id }) => void navigate({ to: "/runs/$id", params: { id }, search: {} })} atEnd={() => { if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage(); }} />
      {found.hasNextPage && <button type="button" className="mt-3" onClick={() => void found.fetchNextPage()}>more</button>}
      <Twin path="/api/v1/runs" query={{ dataset, variant }} />
    </>
  );
}
