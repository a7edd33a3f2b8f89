import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { type DragEvent, type FormEvent, useState } from "react";
import { useAsk } from "@/api/query";
import { useMay } from "@/api/session";
import { Code } from "@/components/Copy";
import { DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { ProblemNote } from "@/components/Problem";
import { Answer, Section, Waiting } from "@/components/Section";
import { Twin } from "@/components/Twin";
import { Count, Time } from "@/components/Values";
import { count, counted } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { useTitle } from "@/lib/title";
import { Import } from "./Import";
import { type DatasetLine, archive, create } from "./writes";

const route = getRouteApi("/datasets");

/** All datasets of the project. */
export function Datasets() {
  useTitle("Datasets");
  const { archived } = route.useSearch();
  const navigate = useNavigate();
  const may = useMay("write");
  const [making, setMaking] = useState(false);
  const [dropped, setDropped] = useState<File>();
  const { data, error, refetch } = useAsk("/api/v1/datasets", { params: { query: { archived } } });
  useKeys(may ? [{ keys: "n", does: "new dataset", run: () => setMaking(true) }] : []);
  if (error) return <><Answer>Datasets</Answer><ProblemNote error={error} retry={refetch} /></>;
  if (!data) return <Waiting />;
  const lines = data.items;
  const take = (event: DragEvent) => {
    event.preventDefault();
    if (may) setDropped(event.dataTransfer.files[0]);
  };
  return (
    <div onDragOver={(event) => event.preventDefault()} onDrop={take}>
      {lines.length === 0 ? <None /> : <Answer><Sum lines={lines} /></Answer>}
      <Section
        title={lines.length === 0 ? "Begin" : "Datasets"}
        fine={lines.length === 0 || !may ? "" : "A file dropped here becomes a version of one."}
        tools={
          <span className="flex flex-wrap gap-2">
            <Link className="btn bare" to="/datasets" search={{ archived: archived ? undefined : true }}>{archived ? "Without archived" : "With archived"}</Link>
            {may && <label className="btn cursor-pointer">Import a file<input type="file" className="hidden-text" accept=".jsonl,.ndjson,.csv,.tsv,.parquet" onChange={(event) => { setDropped(event.target.files?.[0]); event.target.value = ""; }} /></label>}
            {may && <button type="button" className="go" onClick={() => setMaking(true)}>New dataset</button>}
          </span>
        }
      >
        {lines.length === 0 ? (
          <Ways />
        ) : (
          <DataTable
            name="Datasets"
            rows={lines}
            rowKey={({ name }) => name}
            keys
            open={({ name }) => void navigate({ to: "/datasets/$name", params: { name } })}
            columns={[
              { id: "name", head: "name", row: true, sort: ({ name }) => name, className: "clip", width: "24%", cell: ({ name, archived_at }) => <><Link to="/datasets/$name" params={{ name }} className="font-semibold">{name}</Link>{archived_at && <span className="mut"> · archived</span>}</> },
              { id: "about", head: "what it is", className: "clip hide-s", width: "28%", cell: ({ description, head }) => description ?? <span className="mut">{head?.note}</span> },
              { id: "examples", head: "examples", num: true, sort: ({ head }) => head?.examples, cell: ({ head }) => (head ? <Count value={head.examples - head.erased} /> : <span className="mut">none</span>) },
              { id: "slices", head: "slices", num: true, className: "hide-s", sort: (one) => slices(one), cell: (one) => <Count value={slices(one)} /> },
              { id: "versions", head: "versions", num: true, sort: ({ head }) => head?.number, cell: ({ head }) => <Count value={head?.number ?? 0} /> },
              { id: "runs", head: "runs", num: true, className: "hide-s", sort: ({ runs }) => runs, cell: ({ name, runs }) => (runs ? <Link to="/datasets/$name" params={{ name }} search={{ tab: "runs" }}>{count(runs)}</Link> : <span className="mut">0</span>) },
              { id: "changed", head: "changed", num: true, sort: ({ head, created_at }) => head?.created_at ?? created_at, cell: ({ head, created_at }) => <Time at={head?.created_at ?? created_at} ago /> },
              { id: "by", head: "by", className: "hide-s clip lead", width: "110px", cell: ({ head, created_by }) => head?.created_by ?? created_by },
              ...(archived ? [{ id: "back", head: "", num: true, cell: ({ name, archived_at }: DatasetLine) => archived_at && may && <button type="button" className="h-6" onClick={() => void archive(name, false)}>Bring back</button> }] : []),
            ]}
          />
        )}
      </Section>
      <Twin path="/api/v1/datasets" query={{ archived }} />
      {making && <New close={() => setMaking(false)} />}
      {dropped && <Import file={dropped} known={lines.map(({ name }) => name)} close={() => setDropped(undefined)} />}
    </div>
  );
}

const slices = ({ head }: DatasetLine) => Object.values(head?.summary.slices ?? {}).reduce((sum, values) => sum + Object.keys(values).length, 0);

function Sum({ lines }: { lines: readonly DatasetLine[] }) {
  const examples = lines.reduce((sum, { head }) => sum + (head ? head.examples - head.erased : 0), 0);
  const used = lines.filter(({ runs }) => runs > 0).length;
  return <><b>{counted(lines.length, "dataset")}</b> {lines.length === 1 ? "holds" : "hold"} <b>{counted(examples, "example")}</b>; {used === 0 ? "none was run yet" : used === lines.length ? "each was run" : `${count(used)} of them ${used === 1 ? "was" : "were"} run`}.</>;
}

function None() {
  return <Answer>What your application is asked, and what is known about a right answer, will be here.</Answer>;
}

function Ways() {
  return (
    <div className="grid max-w-[720px] gap-4 py-2 text-data">
      <p>Every comparison is over a dataset: examples with their inputs and, where one is known, a reference. It has versions that never change, so that a number can be had again.</p>
      <div><p className="ink2 mb-1">From a file, JSONL, CSV or Parquet: drop it on this page, or</p><Code label="From a file" text="boxscore datasets import tickets tickets.jsonl" /></div>
      <div><p className="ink2 mb-1">From what your application was really asked: <Link to="/traces">choose traces</Link>, or</p><Code label="From traces" text="boxscore datasets add tickets --since 7d --filter step=answer" /></div>
      <div><p className="ink2 mb-1">Then run something over it; a spec names it as it names a file:</p><Code label="In a spec" text="dataset: tickets" /></div>
    </div>
  );
}

function New({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [problem, setProblem] = useState<unknown>();
  const make = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await create(name, description);
      close();
      await navigate({ to: "/datasets/$name", params: { name } });
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog open close={close} title="New dataset">
      <form className="form" onSubmit={(event) => void make(event)}>
        <label>Name<input autoFocus required pattern={NAME} title="Letters a to z, digits, - and _" value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label>What it is<input value={description} onChange={(event) => setDescription(event.target.value)} /></label>
        {problem !== undefined && <ProblemNote error={problem} />}
        <div className="flex justify-end gap-2"><button type="button" onClick={close}>Cancel</button><button className="go">Make it</button></div>
      </form>
    </Dialog>
  );
}

/** What a dataset may be called: a file's name has a dot. */
export const NAME = "[A-Za-z0-9][A-Za-z0-9_\\-]{0,99}";
