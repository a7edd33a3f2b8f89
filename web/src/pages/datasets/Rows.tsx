import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, ask, currentProject } from "@/api/client";
import { asProblem } from "@/api/problem";
import { DataTable } from "@/components/DataTable";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Empty, Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { notify } from "@/components/Toast";
import { count, counted } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { RowPanel } from "./RowPanel";
import { type Example, type Pending, line, same, short } from "./rows";
import { type DatasetVersion, exampleOf, saveEdit } from "./writes";

const route = getRouteApi("/datasets/$name");
const PATH = "/api/v1/datasets/{name}/versions/{version}/examples";
const blank = (): Example => ({ id: `row-${Math.random().toString(36).slice(2, 8)}`, inputs: { input: "" }, reference: null, metadata: {}, cluster: null, slices: {} });

/** Rows of a version: found, read, and edited. Edits wait until they are saved together, as one new version. */
export function Rows({ name, version, head, adding, frozen }: { name: string; version?: DatasetVersion; head: number; adding: number; frozen: boolean }) {
  const { text = "", where = [], row: open } = route.useSearch();
  const navigate = useNavigate();
  const [pending, setPending] = usePending(name);
  const [base, setBase] = useState(head);
  const [editing, setEditing] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const number = version?.number ?? 0;
  const waiting = Object.keys(pending).length;
  useEffect(() => { if (!waiting) setBase(head); }, [head, waiting]);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [PATH, currentProject() ?? null, name, number, text, where],
    enabled: number > 0,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => ask(api.GET(PATH, { params: { path: { name, version: String(number) }, query: { text, where, limit: 200, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.cursor,
  });
  const stored = useMemo(() => data?.pages.flatMap(({ items }) => items.map(({ example }) => exampleOf(example))) ?? [], [data]);
  const rows = useMemo(() => {
    if (frozen) return stored;
    const here = new Set(stored.map(({ id }) => id));
    return [...Object.values(pending).filter((one): one is Example => one !== null && !here.has(one.id)), ...stored.map((one) => pending[one.id] ?? one)];
  }, [stored, pending, frozen]);
  // a page without hits is not the end
  useEffect(() => { if (hasNextPage && rows.length < 50 && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, rows.length, isFetchingNextPage, fetchNextPage]);
  const show = (id: string | undefined, edit = false) => {
    setEditing(edit);
    void navigate({ to: ".", search: (before) => ({ ...before, row: id }), replace: open !== undefined && id !== undefined });
  };
  const begun = useRef(0);
  useEffect(() => {
    if (adding === begun.current || frozen) return;
    begun.current = adding;
    const row = blank();
    const like = stored[0];
    if (like) row.inputs = Object.fromEntries(Object.keys(like.inputs).map((key) => [key, ""]));
    setPending({ ...pending, [row.id]: row });
    show(row.id, true);
  });
  const kept = stored.find(({ id }) => id === open);
  const chosen = rows.find(({ id }) => id === open);
  const put = (before: string, row: Example) => {
    const next = { ...pending };
    delete next[before];
    if (before !== row.id && stored.some(({ id }) => id === before)) next[before] = null;
    const was = stored.find(({ id }) => id === row.id);
    if (!was || !same(was, row)) next[row.id] = row;
    setPending(next);
    show(row.id);
  };
  const remove = (id: string) => {
    const next: Record<string, Example | null> = { ...pending };
    if (stored.some((one) => one.id === id)) next[id] = null;
    else delete next[id];
    setPending(next);
    show(undefined);
    notify(`${id} goes with the next version.`, () => setPending(pending));
  };
  const save = async (on: number) => {
    setBusy(true);
    try {
      await saveEdit(name, on, pending, note);
      setPending({});
      setNote("");
      setProblem(undefined);
    } catch (failed) {
      setProblem(failed);
    } finally {
      setBusy(false);
    }
  };
  const step = (by: number) => {
    const at = rows.findIndex(({ id }) => id === open);
    const next = rows[at + by];
    if (next) show(next.id);
  };
  useKeys([
    ...(chosen && !frozen ? [{ keys: "e", does: "edit the row", run: () => setEditing(true) }, { keys: "x", does: "remove the row", run: () => remove(chosen.id) }] : []),
    ...(chosen ? [{ keys: "Escape", does: "close the row", run: () => show(undefined) }, { keys: "J", does: "next row in the panel", run: () => step(1) }, { keys: "K", does: "row before in the panel", run: () => step(-1) }] : []),
    ...(waiting && !frozen ? [{ keys: "S", does: "save the changes as a version", run: () => void save(base) }] : []),
  ]);
  const slices = Object.entries((version?.summary.slices ?? {}) as Record<string, Record<string, number>>);
  const searched = text !== "" || where.length > 0;
  return (
    <div className="mt-3">
      {waiting > 0 && !frozen && <Unsaved pending={pending} stored={stored} busy={busy} base={base} note={note} setNote={setNote} save={() => void save(base)} discard={() => { setPending({}); setProblem(undefined); notify("The changes are gone.", () => setPending(pending)); }} />}
      {problem !== undefined && <Refused error={problem} pending={pending} again={(on) => { setBase(on); void save(on); }} />}
      {number > 0 && (
        <form role="search" className="flex flex-wrap items-center gap-2 pb-2" onSubmit={(event) => event.preventDefault()}>
          <Find text={text} set={(found) => void navigate({ to: ".", search: (before) => ({ ...before, text: found || undefined }), replace: true })} />
          {slices.map(([key, values]) => {
            const field = `slices.${key}=`;
            return (
              <select key={key} className="max-w-[200px]" aria-label={`Slice ${key}`} value={where.find((one) => one.startsWith(field))?.slice(field.length) ?? ""} onChange={({ target }) => void navigate({ to: ".", search: (before) => ({ ...before, where: keep([...where.filter((one) => !one.startsWith(field)), ...(target.value ? [field + target.value] : [])]) }) })}>
                <option value="">{visible(key)}: all</option>
                {Object.entries(values).map(([value, rows]) => <option key={value} value={value}>{visible(value)} ({count(rows)})</option>)}
              </select>
            );
          })}
          {searched && <span className="fine">{hasNextPage ? "at least " : ""}{counted(stored.length, "row")} found</span>}
        </form>
      )}
      {error && <ProblemNote error={error} retry={refetch} />}
      {number > 0 && !data && !error && <Waiting />}
      <div className={chosen ? "columns c75" : ""}>
        <div className={chosen ? "hide-s" : ""}>
          {rows.length > 0 && (
            <DataTable
              name={`Rows of ${name}`}
              rows={rows}
              rowKey={({ id }) => id}
              keys
              virtual
              current={open}
              open={({ id }) => show(id)}
              atEnd={() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }}
              columns={[
                { id: "id", head: "id", row: true, width: chosen ? "28%" : "18%", className: "clip lead", cell: ({ id }) => <span className="mono"><State id={id} pending={frozen ? {} : pending} stored={stored} />{visible(id)}</span> },
                { id: "inputs", head: "inputs", className: "clip", cell: ({ id, inputs }) => <span className={!frozen && pending[id] === null ? "mut line-through" : ""} dir="auto">{visible(line(inputs))}</span> },
                ...(chosen ? [] : [
                  { id: "reference", head: "reference", width: "24%", className: "clip hide-s", cell: ({ reference }: Example) => <span dir="auto">{reference === null ? <span className="mut">none</span> : visible(short(reference))}</span> },
                  { id: "slices", head: "slices", width: "20%", className: "clip hide-s", cell: ({ slices: of }: Example) => <span className="mut">{visible(Object.values(of).join(" · "))}</span> },
                ]),
              ]}
            />
          )}
          {data && rows.length === 0 && <Empty title={searched ? "No row holds that." : "This version holds no row."} />}
          {rows.length > 0 && <p className="fine mt-2 hide-s"><kbd>j</kbd> <kbd>k</kbd> move, <kbd>enter</kbd> open{!frozen && <>, <kbd>e</kbd> edit, <kbd>x</kbd> remove</>}</p>}
        </div>
        {chosen && <RowPanel key={chosen.id} row={chosen} was={frozen ? undefined : kept} frozen={frozen} editing={editing} edit={setEditing} put={put} remove={remove} close={() => { if (!kept && chosen && pending[chosen.id] && line(chosen.inputs) === "") { const next = { ...pending }; delete next[chosen.id]; setPending(next); } show(undefined); }} />}
        {open !== undefined && !chosen && data && !hasNextPage && <Empty title={<>No row here has the id <span className="mono">{visible(open)}</span>.</>} />}
      </div>
    </div>
  );
}

const keep = (where: string[]) => (where.length ? where : undefined);

function Find({ text, set }: { text: string; set: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return;
    const later = setTimeout(() => set(typed), 250);
    return () => clearTimeout(later);
  });
  return <input type="search" className="w-64 max-w-full" placeholder="Words in the rows" aria-label="Words in the rows" value={typed} onChange={(event) => setTyped(event.target.value)} />;
}

function State({ id, pending, stored }: { id: string; pending: Pending; stored: readonly Example[] }) {
  if (!(id in pending)) return null;
  const what = pending[id] === null ? "goes" : stored.some((one) => one.id === id) ? "changed" : "new";
  return <span className="-ml-4 mr-1.5 inline-block" title={`${what}, not saved`}><Mark state={what === "goes" ? "bad" : what === "new" ? "good" : "open"} title={what} /></span>;
}

interface Waits {
  pending: Pending;
  stored: readonly Example[];
  busy: boolean;
  base: number;
  note: string;
  setNote: (note: string) => void;
  save: () => void;
  discard: () => void;
}

function Unsaved({ pending, stored, busy, base, note, setNote, save, discard }: Waits) {
  const all = Object.entries(pending);
  const gone = all.filter(([, one]) => one === null).length;
  const changed = all.filter(([id, one]) => one !== null && stored.some((row) => row.id === id)).length;
  return (
    <div className="banner mb-3 flex-wrap items-center px-3" role="status">
      <span>Not saved: {[[all.length - gone - changed, "new"], [changed, "changed"], [gone, "removed"]].filter(([size]) => size).map(([size, what]) => `${size} ${what}`).join(", ")}.</span>
      <input className="w-56 max-w-full" aria-label="Why" placeholder="why, for who reads the versions" value={note} onChange={(event) => setNote(event.target.value)} />
      <button type="button" className="go" disabled={busy} onClick={save}>{busy ? "Saving …" : `Save as version ${base + 1}`}</button>
      <kbd className="hide-s">S</kbd>
      <button type="button" className="bare" onClick={discard}>Discard</button>
    </div>
  );
}

/** A save that was refused. Where somebody else was faster: whether that touches the same rows, and the way on. */
function Refused({ error, pending, again }: { error: unknown; pending: Pending; again: (on: number) => void }) {
  const problem = asProblem(error);
  if (problem.code !== "dataset_moved" || typeof problem.data.head !== "number") return <ProblemNote error={error} />;
  const since = [...list(problem.data.added), ...list(problem.data.changed), ...list(problem.data.removed)];
  const both = since.filter((id) => id in pending);
  const on = problem.data.head;
  return (
    <div role="alert" className="mb-3 border-l-2 border-bad bg-sunk px-3 py-2 text-data">
      <p>Somebody saved version {on} meanwhile. It differs in {counted(since.length, "row")} from the one that you began with{both.length === 0 ? ", and in none of yours." : <>; these are also yours: <span className="mono">{both.slice(0, 8).map(visible).join(", ")}</span>.</>} Nothing of yours is lost.</p>
      <p className="mt-2 flex gap-2"><button type="button" className="go" onClick={() => again(on)}>{both.length === 0 ? `Save mine on top, as version ${on + 1}` : "Mine take their place"}</button></p>
    </div>
  );
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Changes that wait, kept in this tab over a reload. */
function usePending(name: string): [Pending, (next: Pending) => void] {
  const key = `boxscore edits ${currentProject() ?? ""} ${name}`;
  const [pending, setPending] = useState<Pending>(() => {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? "{}") as Pending;
    } catch {
      return {};
    }
  });
  const set = (next: Pending) => {
    setPending(next);
    try {
      if (Object.keys(next).length) sessionStorage.setItem(key, JSON.stringify(next));
      else sessionStorage.removeItem(key);
    } catch {
      // too much for the tab to keep: it is lost with the tab
    }
  };
  return [pending, set];
}
