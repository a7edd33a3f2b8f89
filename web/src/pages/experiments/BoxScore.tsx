import { Link, getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import type { Schemas } from "@/api/client";
import { currentProject } from "@/api/client";
import { useAsk } from "@/api/query";
import { Code } from "@/components/Copy";
import { Verdict } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Twin } from "@/components/Twin";
import { Id, copy } from "@/components/Values";
import { writeQuery } from "@/lib/params";
import { useTitle } from "@/lib/title";
import { Differences } from "./Differences";
import { Drawing } from "./Drawing";
import { LineScore } from "./LineScore";
import { Ago, Said } from "./Marks";
import { Needs } from "./Needs";
import { type Outcome, Pairs, Segments } from "./Pairs";
import { Slices } from "./Slices";
import { type Moved, WhatIf } from "./WhatIf";
import type { Kind } from "./decide";
import "./boxscore.css";

const route = getRouteApi("/experiments/$id");

/** The box score: headline, line score, differences, where it hurts, fine print. */
export function BoxScore() {
  const { id } = route.useParams();
  const found = useAsk("/api/v1/comparisons/{id}/sheet", { params: { path: { id } } });
  const names = found.data?.lines.map(({ name }) => name);
  useTitle(found.data ? `${found.data.dataset}: ${names?.[0]} → ${names?.[1]}` : "Box score");
  if (found.isPending) return <Waiting what="Reading the box score" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  return <Sheet sheet={found.data} />;
}

function Sheet({ sheet }: { sheet: Schemas["Sheet"] }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [before, after] = sheet.lines;
  const names = [before?.name ?? "baseline", after?.name ?? "candidate"] as const;
  const outcome: Outcome = search.show ?? (sheet.counts.worse ? "worse" : sheet.counts.better ? "better" : "tied");
  const set = (change: Record<string, string | number | undefined>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true, resetScroll: false });
  const moved: Moved = { superiority: search.superiority, noninferiority: search.noninferiority, value: search.value };
  const moves = Object.values(moved).some((value) => value !== undefined);
  const chosen = search.slice !== undefined ? `${search.slice} ${search.of ?? ""}` : undefined;
  useEffect(() => {
    if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
  }, []);
  const openRun = (place: number) => {
    const run = sheet.lines[place]?.run;
    if (run) void navigate({ to: "/runs/$id", params: { id: run }, search: {} });
  };
  const again = useAsk("/api/v1/comparisons/{id}/again", { params: { path: { id: sheet.id } } });
  const stored = again.data?.dataset?.split("@")[0];
  const edit = stored === undefined ? undefined : (row: string) => void navigate({ to: "/datasets/$name", params: { name: stored }, search: { row } });
  return (
    <>
      <Title sheet={sheet} names={names} again={Boolean(again.data?.asked)} />
      <div className="verdict">
        <Verdict verdict={sheet.verdict} stamp />
        <h1 className="say"><Said said={sheet.said} /></h1>
        <ul className="but">
          {sheet.warnings.map((text) => <li key={text}><b className="bad" aria-label="warning">!</b><bdi>{text}</bdi></li>)}
          {sheet.notes.map((text) => <li key={text}><span className="mut" aria-hidden="true">–</span><bdi>{text}</bdi> <More note={text} /></li>)}
        </ul>
      </div>
      {sheet.need && <Needs sheet={sheet} need={sheet.need} />}
      <Section title="Line score" fine={<>{sheet.bold ? "Bold: better, where a difference is shown." : "Nothing is bold where no difference is shown."} Under each number its {sheet.level} % interval.</>}>
        <LineScore columns={sheet.columns} lines={sheet.lines} />
      </Section>
      <Two when={sheet.closing !== null}>
        <Section title="Differences" fine={<>Right is better in every row{sheet.flipped.length > 0 && <>: {listed(sheet.flipped)} {sheet.flipped.length > 1 ? "are" : "is"} flipped</>}. {sheet.differences.some(({ band }) => band) && "Shaded: margin or guard. "}Each row has its own scale.</>}>
          <Differences lines={sheet.differences} level={sheet.level} />
        </Section>
        {sheet.closing && <Section title={sheet.closing.title}><Drawing svg={sheet.closing.svg} words={sheet.closing.words} /></Section>}
      </Two>
      {sheet.settings && (
        <Section
          title="What other settings would decide"
          fine={<>Move them to see the consequence. The verdict above keeps the rule that was set before the run: {sheet.rule}.</>}
          tools={moves && <button type="button" className="noprint" onClick={() => set({ superiority: undefined, noninferiority: undefined, value: undefined })}>As set</button>}
        >
          <WhatIf settings={sheet.settings} labels={Object.fromEntries(sheet.differences.map(({ key, label }) => [key, label]))} moved={moved} move={(kind: Kind, value) => set({ [kind]: value })} />
        </Section>
      )}
      <div className="columns c2">
        {[sheet.frontier, sheet.latency].map((figure) => (
          <Section key={figure.title} id={figure === sheet.frontier ? "frontier" : "latency"} title={figure.title}>
            {figure.svg ? <Drawing svg={figure.svg} words={figure.words} open={openRun} /> : <Empty title={figure.words} />}
          </Section>
        ))}
      </div>
      <Section
        id="slices"
        title="Where it hurts"
        fine={sheet.slices ? <><bdi>{sheet.slices.label}</bdi> by slice, worst first; shown after Holm over {sheet.slices.lines.length}: {sheet.slices.said}. A slice opens its examples.</> : ""}
      >
        {sheet.slices
          ? <Slices table={sheet.slices} chosen={chosen} choose={(slice, of) => { set({ slice, of }); document.getElementById("examples")?.scrollIntoView({ block: "start" }); }} />
          : <Empty title="No slices were compared: none was named, and no field splits the examples into groups that are large enough." />}
      </Section>
      <Section
        id="examples"
        title={<>{outcome === "worse" ? "Examples that got worse" : outcome === "better" ? "Examples that got better" : "Examples that are tied"}</>}
        fine={<>Underlined: where the answers part. Boxed: what the scorer read. <kbd>j</kbd> <kbd>k</kbd> next, <kbd>d</kbd> whole answers{edit && <>, <kbd>e</kbd> edit the example</>}.</>}
        tools={<Segments counts={sheet.counts} chosen={outcome} choose={(show) => set({ show })} />}
      >
        {chosen !== undefined && <p className="mb-2"><span className="chip"><bdi>{search.slice}: {search.of}</bdi><button type="button" aria-label="all slices" onClick={() => set({ slice: undefined, of: undefined })}>✕</button></span></p>}
        <Pairs id={sheet.id} outcome={outcome} slice={search.slice} value={search.of} count={sheet.counts[outcome]} names={names} edit={edit} />
      </Section>
      <Section title="Fine print">
        <dl className="print">
          {sheet.fine_print.map(({ term, text }) => <div key={term}><dt>{term}</dt><dd>{text}</dd></div>)}
        </dl>
        {sheet.command && <div className="mt-4"><Code text={sheet.command} label="Command that repeats this verdict" /></div>}
      </Section>
      <Twin path={`/api/v1/comparisons/${sheet.id}/sheet`} others={files(sheet.id)} />
    </>
  );
}

function Title({ sheet, names, again }: { sheet: Schemas["Sheet"]; names: readonly [string, string]; again: boolean }) {
  return (
    <div className="title">
      <p className="crumb"><Link to="/experiments" search={{ dataset: sheet.dataset }}><bdi>{sheet.dataset}</bdi></Link> <span className="mut">/</span> <bdi>{names[0]}</bdi> <span className="mut">→</span> <bdi>{names[1]}</bdi></p>
      <p className="fine">{sheet.size} · reached <Ago at={sheet.created_at} />{sheet.spent && <> · {sheet.spent}</>} · <Id id={sheet.id} /></p>
      <span className="grow" />
      <p className="noprint flex flex-wrap gap-1.5">
        {again && <Link className="btn" to="/experiments/new" search={{ like: sheet.id }}>Compare again …</Link>}
        <button type="button" onClick={() => void copyMarkdown(sheet.id)}>Copy as Markdown</button>
        <a className="btn" href={path(sheet.id, "report.html")} target="_blank" rel="noreferrer">Report</a>
        <a className="btn" href={path(sheet.id)} download={`boxscore-${sheet.id}.json`}>JSON</a>
        <a className="btn" href={path(sheet.id, "pairs.csv")} download>CSV</a>
      </p>
    </div>
  );
}

/** From a note to the part of the page that shows it. */
function More({ note }: { note: string }) {
  if (note.startsWith("Worse where")) return <a href="#slices">Where it hurts</a>;
  return note.includes("also run") ? <a href="#frontier">Cost against quality</a> : null;
}

function Two({ when, children }: { when: boolean; children: ReactNode }) {
  return when ? <div className="columns c21">{children}</div> : <>{children}</>;
}

function path(id: string, what = ""): string {
  return `/api/v1/comparisons/${encodeURIComponent(id)}${what ? `/${what}` : ""}${writeQuery({ project: currentProject() })}`;
}

function files(id: string) {
  return [
    { label: "verdict as kept", href: path(id) },
    { label: "report", href: path(id, "report.html") },
    { label: "Markdown", href: path(id, "report.md") },
    { label: "answers as CSV", href: path(id, "pairs.csv") },
  ];
}

async function copyMarkdown(id: string): Promise<void> {
  const reply = await fetch(path(id, "report.md"));
  if (!reply.ok) return notify(`The Markdown could not be had: status ${reply.status}.`);
  await copy(await reply.text(), "Copied as Markdown");
}

function listed(names: readonly string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
}

