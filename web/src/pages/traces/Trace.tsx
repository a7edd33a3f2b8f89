import { Link, useNavigate } from "@tanstack/react-router";
import { currentProject } from "@/api/client";
import { writeQuery } from "@/lib/params";
import { Twin } from "@/components/Twin";
import { useTitle } from "@/lib/title";
import { TraceView } from "./TraceView";
import { trace } from "./routes";

/** One trace, alone. */
export function Trace() {
  const { id } = trace.useParams();
  const search = trace.useSearch();
  const navigate = useNavigate();
  useTitle(`Trace ${id.slice(0, 8)}`);
  return (
    <>
      <p className="fine pt-4 pb-1"><Link to="/traces">Traces</Link> / <span className="mono">{id.slice(0, 8)}</span></p>
      <TraceView id={id} search={search} set={(change) => void navigate({ to: "/traces/$id", params: { id }, search: { ...change }, replace: change.view === search.view, resetScroll: false })} />
      <Twin path={`/api/v1/traces/${id}/outline`} others={[{ label: "raw spans", href: `/api/v1/traces/${id}/raw${writeQuery({ project: currentProject(), limit: 1000 })}` }]} />
    </>
  );
}
