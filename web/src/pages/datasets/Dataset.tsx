import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { type DragEvent, useState } from "react";
import { currentProject } from "@/api/client";
import { useAsk } from "@/api/query";
import { useMay } from "@/api/session";
import { Code } from "@/components/Copy";
import { DataTable } from "@/components/DataTable";
import { Menu } from "@/components/Menu";
import { ProblemNote } from "@/components/Problem";
import { Answer, Empty, Waiting } from "@/components/Section";
import { Tabs } from "@/components/Tabs";
import { visible } from "@/components/Text";
import { Twin } from "@/components/Twin";
import { Id, Time } from "@/components/Values";
import { count, points } from "@/lib/format";
import { writeQuery } from "@/lib/params";
import { useTitle } from "@/lib/title";
import { Import } from "./Import";
import { Rows } from "./Rows";
import { Versions } from "./Versions";
import { type DatasetVersion, archive } from "./writes";

const route = getRouteApi("/datasets/$name");

/** One dataset: what it can show, its rows, its versions, the runs over it. */
export function Dataset() {
  const { name } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate();
  const may = useMay("write");
  useTitle(name);
  const [file, setFile] = useState<File>();
  const [adding, setAdding] = useState(0);
  const { data, error, refetch } = useAsk("/api/v1/datasets/{name}", { params: { path: { name } } });
  const older = useAsk("/api/v1/datasets/{name}/versions/{version}", { params: { path: { name, version: search.version ?? "head" } } }, { enabled: search.version !== undefined });
  if (error) return <><Answer>{visible(name)}</Answer><ProblemNote error={error} retry={refetch} /></>;
  if (!data) return <Waiting />;
  const { dataset, detectable, used_by } = data;
  const head = dataset.head ?? undefined;
  const shown = search.version === undefined ? head : older.data;
  const tab = search.tab ?? "rows";
  const drop = (event: DragEvent) => {
    event.preventDefault();
    if (may) setFile(event.dataTransfer.files[0]);
  };
  const files = (form: string, more = {}) => `/api/v1/datasets/${name}/versions/${search.version ?? "head"}/export${writeQuery({ form, project: currentProject(), ...more })}`;
  return (
    <div onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <p className="fine pt-4"><Link to="/datasets">Datasets</Link> / <b className="ink2">{name}</b>{dataset.description && <> · {visible(dataset.description)}</>}</p>
      <div className="flex flex-wrap items-start justify-between gap-3 pt-2">
        <h1 className="say max-w-[860px]">{head && shown ? <Sees version={shown} head={head} detectable={detectable} /> : <>No example is in <b>{name}</b> yet.</>}</h1>
        <div className="flex flex-wrap gap-2 pt-1">
          {may && <button type="button" onClick={() => { setAdding(adding + 1); void navigate({ to: ".", search: (before) => ({ ...before, tab: undefined, version: undefined, row: undefined }) }); }}>Add a row</button>}
          {may && <label className="btn cursor-pointer">Import<input type="file" className="hidden-text" accept=".jsonl,.ndjson,.csv,.tsv,.parquet" onChange={(event) => { setFile(event.target.files?.[0]); event.target.value = ""; }} /></label>}
          {head && (
            <Menu label="Export" name="Export this version" className="">
              {() => (
                <>
                  <a href={files("jsonl")} download>JSONL <span className="mut">exact</span></a>
                  <a href={files("csv", { spreadsheet: true })} download>CSV <span className="mut">for spreadsheets</span></a>
                  <a href={files("csv")} download>CSV <span className="mut">exact</span></a>
                  <a href={files("parquet")} download>Parquet <span className="mut">exact</span></a>
                </>
              )}
            </Menu>
          )}
          {may && <Menu label="More" name="More for this dataset" className="">
            {(close) => (
              <>
                <Link to="/traces" onClick={close}>Add from traces</Link>
                <button type="button" onClick={() => { close(); void archive(name, dataset.archived_at === null); }}>{dataset.archived_at === null ? "Archive" : "Bring back"}</button>
              </>
            )}
          </Menu>}
        </div>
      </div>
      {shown && (
        <p className="fine mt-1">
          version {shown.number} <Id id={shown.version} />, <Time at={shown.created_at} ago /> by {shown.created_by ?? "nobody known"}{shown.note && <>: {visible(shown.note)}</>}
          {shown.erased > 0 && <span className="bad"> · {count(shown.erased)} of its {count(shown.examples)} examples were erased with their traces; the hash is of what it held</span>}
        </p>
      )}
      {dataset.archived_at && <p className="banner mt-2">Archived <Time at={dataset.archived_at} ago />: it is out of the list, and nothing changes it. {may && <button type="button" onClick={() => void archive(name, false)}>Bring it back</button>}</p>}
      {search.version !== undefined && head && shown && shown.number !== head.number && (
        <p className="banner mt-2">You look at version {shown.number}; the newest is {head.number}. <Link to="." search={(before) => ({ ...before, version: undefined, row: undefined })}>See the newest</Link></p>
      )}
      <div className="mt-4">
        <Tabs
          name="Parts of the dataset"
          tabs={[
            { label: <>Rows {shown && <span className="mut">{count(shown.examples - shown.erased)}</span>}</>, to: ".", search: (before) => ({ ...before, tab: undefined }), active: tab === "rows" },
            { label: <>Versions <span className="mut">{count(head?.number ?? 0)}</span></>, to: ".", search: (before) => ({ ...before, tab: "versions", row: undefined }), active: tab === "versions" },
            { label: <>Runs <span className="mut">{count(dataset.runs)}</span></>, to: ".", search: (before) => ({ ...before, tab: "runs", row: undefined }), active: tab === "runs" },
          ]}
        />
      </div>
      {older.error && <ProblemNote error={older.error} />}
      {tab === "rows" && (head === undefined || shown) && <Rows key={`${name} ${search.version ?? ""}`} name={name} version={shown} head={head?.number ?? 0} adding={adding} frozen={!may || dataset.archived_at !== null || (shown !== undefined && shown.number !== head?.number)} />}
      {tab === "rows" && !head && <Begin name={name} />}
      {tab === "versions" && <Versions name={name} head={head} diff={search.diff} may={may} />}
      {tab === "runs" && <Runs name={name} runs={used_by} />}
      <Twin path={tab === "rows" && head ? `/api/v1/datasets/${name}/versions/${search.version ?? "head"}/examples` : tab === "versions" ? `/api/v1/datasets/${name}/versions` : `/api/v1/datasets/${name}`} />
      {file && <Import file={file} name={name} close={() => setFile(undefined)} />}
    </div>
  );
}

/** What a dataset of this size and shape can show: the answer that the page begins with. */
function Sees({ version, head, detectable }: { version: DatasetVersion; head: DatasetVersion; detectable: number | null }) {
  const { slices, clusters, units } = version.summary;
  const parts = Object.values(slices as Record<string, object>).reduce((sum, values) => sum + Object.keys(values).length, 0);
  const left = version.examples - version.erased;
  return (
    <>
      <b>{count(left)}</b> {left === 1 ? "example" : "examples"}{clusters > 0 && <>, <b>{count(units)}</b> of them independent</>}{parts > 0 && <>{clusters > 0 && ","} in <b>{count(parts)}</b> {parts === 1 ? "slice" : "slices"}</>}
      {version.number === head.number && (detectable === null ? <>; that is too few to show any difference.</> : <>; at this size a difference of <b title="of a rate, at 80 % power, if one answer in five changes">{points(detectable).slice(1)} points</b> shows at 80 % power.</>)}
      {version.number !== head.number && "."}
    </>
  );
}

function Begin({ name }: { name: string }) {
  return (
    <Empty title="Examples come by hand, from a file dropped here, or from traces:">
      <div className="max-w-[640px]"><Code label="Commands" text={`boxscore datasets import ${name} FILE.jsonl\nboxscore datasets add ${name} --since 7d --limit 200`} /></div>
    </Empty>
  );
}

interface Run { id: string; variant: string; version: string; number: number | null; started_at: string }

function Runs({ name, runs }: { name: string; runs: readonly Run[] }) {
  const navigate = useNavigate();
  if (runs.length === 0) {
    return <Empty title="No run was over this dataset. A spec names it as it names a file:"><div className="max-w-[640px]"><Code label="In a spec" text={`dataset: ${name}`} /></div></Empty>;
  }
  return (
    <div className="mt-2">
      <DataTable
        name="Runs over this dataset"
        rows={runs}
        rowKey={({ id }) => id}
        keys
        open={({ id }) => void navigate({ to: "/runs/$id", params: { id } })}
        columns={[
          { id: "variant", head: "variant", row: true, className: "clip", cell: ({ id, variant }) => <Link to="/runs/$id" params={{ id }}>{visible(variant)}</Link> },
          { id: "version", head: "over version", cell: ({ number, version }) => (number === null ? <span title="A file of this name with other examples, or a part of it">{version}</span> : <Link to="." search={{ version: String(number) }}>{number}</Link>) },
          { id: "id", head: "run", className: "hide-s", cell: ({ id }) => <span className="mono">{id}</span> },
          { id: "when", head: "begun", num: true, cell: ({ started_at }) => <Time at={started_at} ago /> },
        ]}
      />
    </div>
  );
}
