import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { useSession } from "@/api/session";
import { type Column, DataTable } from "@/components/DataTable";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { Twin } from "@/components/Twin";
import { Time } from "@/components/Values";
import { setting } from "./routes";

type Entry = Schemas["AuditPage"]["items"][number];

const COLUMNS: readonly Column<Entry>[] = [
  { id: "at", head: "when", width: "80px", cell: ({ at }) => <Time at={at} /> },
  { id: "actor", head: "who", row: true, width: "30%", className: "clip", cell: ({ actor }) => actor.replace(/^user /, "") },
  { id: "action", head: "did", width: "240px", className: "mono clip hide-s", cell: ({ action }) => action },
  { id: "object", head: "to", className: "mono clip", cell: ({ object }) => <span title={object}>{object}</span> },
  { id: "outcome", head: "and was told", width: "120px", cell: ({ outcome }) => <span className={outcome < 400 ? "" : "bad"}><Mark state={outcome < 400 ? "none" : "bad"} /> {outcome < 400 ? "done" : outcome === 401 ? "not known" : outcome === 403 ? "no right" : `refused, ${outcome}`}</span> },
];

/** Every write, who asked for it, and what became of it. */
export function Audit() {
  const { server } = setting.useSearch();
  const { data: session } = useSession();
  const found = useInfiniteQuery({
    queryKey: ["/api/v1/audit", currentProject() ?? null, server ?? false],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/audit", { params: { query: { cursor: pageParam, server: server ?? false } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  if (!found.data) return <Waiting />;
  const rows = found.data.pages.flatMap(({ items }) => items);
  return (
    <Section title={server ? "Writes to the server itself" : "Writes in this project"} fine="Newest first." tools={session?.server && <Link to="/settings/$part" params={{ part: "audit" }} search={{ server: server ? undefined : true }} className="fine">{server ? "those of this project" : "logins, users and projects"}</Link>}>
      {rows.length === 0 ? <Empty title="Nothing was changed yet. Every write comes here, refused ones too." /> : <DataTable name="Audit" rows={rows} columns={COLUMNS} rowKey={({ id }) => id} keys atEnd={() => { if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage(); }} virtual className="table-fixed" />}
      <Twin path="/api/v1/audit" query={{ server, limit: 1000 }} />
    </Section>
  );
}
