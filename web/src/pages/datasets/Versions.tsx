import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, ask, currentProject } from "@/api/client";
import { DataTable } from "@/components/DataTable";
import { Mark, type State } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { Count, Id, Time } from "@/components/Values";
import { count } from "@/lib/format";
import { Changed } from "./Changed";
import { type Example, line, short } from "./rows";
import { type DatasetVersion, exampleOf, restore } from "./writes";

const PATH = "/api/v1/datasets/{name}/versions";
const DIFF = "/api/v1/datasets/{name}/diff";

/** The line of versions, and what parts two of them. */
export function Versions({ name, head, diff, may }: { name: string; head?: DatasetVersion; diff?: string; may: boolean }) {
  const navigate = useNavigate();
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: [PATH, currentProject() ?? null, name],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => ask(api.GET(PATH, { params: { path: { name }, query: { limit: 100, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.cursor,
  });
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <Waiting />;
  const versions = data.pages.flatMap(({ items }) => items);
  if (versions.length === 0) return <Empty title="No version is here yet: the first comes with the first rows." />;
  const [from, to] = (diff ?? "").split("..");
  return (
    <div className="mt-2">
      <DataTable
        name={`Versions of ${name}`}
        rows={versions}
        rowKey={({ number }) => String(number)}
        keys
        current={to}
        open={({ number }) => void navigate({ to: ".", search: (before) => ({ ...before, diff: number > 1 ? `${number - 1}..${number}` : undefined }) })}
        atEnd={() => { if (hasNextPage) void fetchNextPage(); }}
        columns={[
          { id: "number", head: "version", row: true, width: "90px", className: "lead", cell: ({ number }) => <Link to="." search={{ version: number === head?.number ? undefined : String(number) }} title="Its rows">{number}</Link> },
          { id: "examples", head: "examples", num: true, cell: ({ examples, erased }) => <><Count value={examples - erased} />{erased > 0 && <span className="bad" title={`${erased} were erased with their traces`}> −{erased}</span>}</> },
          { id: "added", head: "added", num: true, className: "hide-s", cell: ({ added }) => <Some size={added} sign="+" /> },
          { id: "changed", head: "changed", num: true, className: "hide-s", cell: ({ changed }) => <Some size={changed} sign="" /> },
          { id: "removed", head: "removed", num: true, className: "hide-s", cell: ({ removed }) => <Some size={removed} sign="−" /> },
          { id: "note", head: "note", width: "30%", className: "clip lead", cell: ({ note }) => visible(note ?? "") },
          { id: "by", head: "by", className: "clip hide-s", width: "110px", cell: ({ created_by }) => created_by },
          { id: "hash", head: "content", className: "hide-s", width: "110px", cell: ({ version }) => <Id id={version} /> },
          { id: "when", head: "made", num: true, cell: ({ created_at }) => <Time at={created_at} ago /> },
          { id: "act", head: "", num: true, width: "170px", cell: ({ number }) => (
            <span className="inline-flex gap-1">
              {number > 1 && <Link className="btn bare h-6!" to="." search={(before) => ({ ...before, diff: `${number - 1}..${number}` })}>Diff</Link>}
              {may && head && number !== head.number && <button type="button" className="bare h-6" title={`A new version that holds what ${number} holds`} onClick={() => void restore(name, number, head.number)}>Bring back</button>}
            </span>
          ) },
        ]}
      />
      {from && to && <Diff name={name} from={from} to={to} />}
    </div>
  );
}

/** A row that came or went, in a few lines. */
function Whole({ row, gone }: { row: Example; gone: boolean }) {
  const said = `txt ${gone ? "bad bg-bad-wash line-through" : "good bg-good-wash"}`;
  return (
    <p className="text-data" dir="auto">
      <span className={said}>{visible(line(row.inputs))}</span>
      {row.reference !== null && <> <span className="fine">reference</span> <span className={said}>{visible(short(row.reference))}</span></>}
    </p>
  );
}

function Some({ size, sign }: { size: number; sign: string }) {
  return size === 0 ? <span className="mut">0</span> : <>{sign}{count(size)}</>;
}

function Diff({ name, from, to }: { name: string; from: string; to: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: [DIFF, currentProject() ?? null, name, from, to],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => ask(api.GET(DIFF, { params: { path: { name }, query: { before: from, after: to, limit: 50, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.cursor,
  });
  if (error) return <ProblemNote error={error} retry={refetch} />;
  const [first] = data?.pages ?? [];
  if (!data || !first) return <Waiting />;
  const { added, changed, removed } = first.changes;
  const items = data.pages.flatMap((page) => page.items);
  return (
    <Section
      title={added + changed + removed === 0 ? `Versions ${from} and ${to} hold the same` : `From version ${from} to ${to}: ${[[added, "added"], [changed, "changed"], [removed, "removed"]].filter(([size]) => size).map(([size, what]) => `${count(Number(size))} ${what}`).join(", ")}`}
      tools={<Link to="." search={(before) => ({ ...before, diff: undefined })}>Close</Link>}
    >
      <ul>
        {items.map(({ id, before, after }) => {
          const [state, word]: [State, string] = before === null ? ["good", "added"] : after === null ? ["bad", "removed"] : ["open", "changed"];
          return (
            <li key={id} className="grid gap-x-4 gap-y-1 border-b border-rule-2 py-2 sm:grid-cols-[220px_minmax(0,1fr)]">
              <p className="text-data"><Mark state={state} /> {word} <span className="mono txt">{visible(id)}</span></p>
              {before && after ? <Changed before={exampleOf(before)} after={exampleOf(after)} /> : <Whole row={exampleOf((before ?? after)!)} gone={after === null} />}
            </li>
          );
        })}
      </ul>
      {hasNextPage && <button type="button" className="mt-2" onClick={() => void fetchNextPage()}>Show more</button>}
    </Section>
  );
}
