import { Link } from "@tanstack/react-router";
import { Suspense, useEffect, useState } from "react";
import { asProblem } from "@/api/problem";
import { currentProject } from "@/api/client";
import { Menu } from "@/components/Menu";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { visible } from "@/components/Text";
import { Count, Duration, Id, Money, Time, copy } from "@/components/Values";
import { useKeys } from "@/lib/keys";
import { writeQuery } from "@/lib/params";
import { AddToDataset } from "./adding";
import { Conversation } from "./Conversation";
import { Raw } from "./Raw";
import { ScoreDialog, ScoreValue } from "./Scores";
import { Span } from "./Span";
import { Waterfall } from "./Waterfall";
import { useOutline, useScores } from "./questions";
import type { TraceSearch, View } from "./routes";
import { type Outline, dearest, errorsOf, slowest } from "./tree";
import "./traces.css";

const NAMES: readonly (readonly [View, string])[] = [["waterfall", "Waterfall"], ["conversation", "Conversation"], ["raw", "Raw"]];

/** A trace: its totals, and its waterfall, its conversation or what came. Beside a list, or alone on its page. */
export function TraceView({ id, search, set, beside }: { id: string; search: TraceSearch; set: (change: TraceSearch) => void; beside?: boolean }) {
  const { data, error, refetch } = useOutline(id);
  if (error) {
    if (asProblem(error).status !== 404) return <ProblemNote error={error} retry={refetch} />;
    return <p className="py-4 text-data ink2">No trace <code>{visible(id)}</code> is here: it is not in this project, was removed by retention, or is still on its way. <button type="button" className="plain link" onClick={() => void refetch()}>Look again</button></p>;
  }
  if (!data) return <Waiting what="Reading the trace" />;
  return <Shown outline={data} search={search} set={set} beside={beside} />;
}

function Shown({ outline, search, set, beside }: { outline: Outline; search: TraceSearch; set: (change: TraceSearch) => void; beside?: boolean }) {
  const { trace_id: id, facts } = outline;
  const { span, view = "waterfall" } = search;
  const { data: scores = [] } = useScores(id);
  const [scoring, setScoring] = useState(false);
  const [adding, setAdding] = useState(false);
  useEffect(() => { setScoring(false); setAdding(false); }, [id]);
  useKeys([
    { keys: "e", does: "score", run: () => setScoring(true) },
    { keys: "1", does: "waterfall", run: () => set({ ...search, view: undefined }) },
    { keys: "2", does: "conversation", run: () => set({ ...search, view: "conversation" }) },
    { keys: "3", does: "raw", run: () => set({ ...search, view: "raw" }) },
  ]);
  const place = span === undefined ? -1 : outline.columns.span_id.indexOf(span);
  const spanName = place < 0 ? undefined : outline.words[outline.columns.name[place] ?? 0];
  const inside = place >= 0 && outline.columns.parent[place] !== -1; // what is at the top stands for the trace
  const address = `${location.origin}/traces/${id}${writeQuery({ project: currentProject(), span, view: search.view })}`;
  const curl = `curl -H 'authorization: Bearer $BOXSCORE_KEY' '${location.origin}/api/v1/traces/${id}${span ? `/spans/${span}/detail` : "/outline"}${writeQuery({ project: currentProject() })}'`;
  const choose = (one: string | undefined) => set({ ...search, span: one });
  const whole = [...scores].sort((one, other) => Number(Boolean(one.span_id)) - Number(Boolean(other.span_id))); // of the trace before those of its spans
  const head = (
    <>
      <div className="border-t border-rule-ink pt-1.5 pb-1">
        <div className="flex flex-wrap items-baseline gap-x-2">
          {beside ? <h2 className="min-w-0 break-words"><Link to="/traces/$id" params={{ id }} search={{ span, view: search.view }} className="no-underline hover:underline">{visible(outline.name)}</Link></h2> : <h1 className="say sm min-w-0 break-words">{visible(outline.name)}</h1>}
          <Id id={id} />
        </div>
        <p className="fine">
          <Time at={outline.start_ns} /> ago
          {facts.session && <> · session <Link to="/sessions/$id" params={{ id: facts.session }}>{visible(facts.session)}</Link></>}
          {facts.user && <> · user <code>{visible(facts.user)}</code></>}
          {(["application", "release", "environment", "prompt", "variant"] as const).map((fact) => facts[fact] && <span key={fact}> · {fact} {visible(facts[fact])}{fact === "prompt" && facts.prompt_version ? `@${visible(facts.prompt_version)}` : ""}</span>)}
        </p>
      </div>
      <div className="scroll mb-3" role="region" aria-label="Totals" tabIndex={0}>
        <table className={beside ? "" : "max-w-[860px]"}>
          <thead><tr><th>took</th><th className="num">tokens in</th><th className="num">cached</th><th className="num">out</th><th className="num">cost</th><th className="num">errors</th><th className="lead w-1/3">scores</th></tr></thead>
          <tbody>
            <tr className="nw">
              <td><b><Duration ns={outline.duration_ns} /></b></td>
              <td className="num"><Count value={outline.input_tokens} /></td>
              <td className="num"><Count value={outline.cached_tokens} /></td>
              <td className="num"><Count value={outline.output_tokens} /></td>
              <td className="num"><b><Money usd={outline.cost_usd} /></b></td>
              <td className={`num ${outline.errors ? "bad" : ""}`}><Count value={outline.errors} /></td>
              <td className="lead"><span className="flex flex-wrap gap-x-3">{whole.slice(0, 6).map((score) => <ScoreValue key={score.id} score={score} />)}{whole.length > 6 && <span className="fine">{whole.length - 6} more</span>}{whole.length === 0 && <span className="fine">none yet</span>}</span></td>
            </tr>
          </tbody>
        </table>
      </div>
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <Choice name="View" value={view} options={NAMES} choose={(one) => set({ ...search, view: one === "waterfall" ? undefined : one })} />
        <span className="flex-1" />
        <button type="button" onClick={() => setAdding(true)}>Add to dataset</button>
        <button type="button" onClick={() => setScoring(true)}>Score <kbd className="hide-s">e</kbd></button>
        <Menu label="⋯" name="More" className="">
          {(close) => (
            <>
              <button type="button" onClick={() => { close(); void copy(address, "Copied the link"); }}>Copy link</button>
              <button type="button" onClick={() => { close(); void copy(curl, "Copied the command"); }}>Copy curl</button>
              <button type="button" onClick={() => { close(); void copy(id, "Copied the id"); }}>Copy the trace's id</button>
              {beside && <Link to="/traces/$id" params={{ id }} search={{ span, view: search.view }} onClick={close}>Open its page</Link>}
            </>
          )}
        </Menu>
      </div>
      <ScoreDialog of={{ trace_id: id, span_id: inside ? span : undefined, name: inside ? `span ${spanName}` : `trace ${outline.name}` }} open={scoring} close={() => setScoring(false)} />
      <Suspense>{adding && <AddToDataset {...(inside ? { spans: [{ trace_id: id, span_id: span }] } : { traces: [id] })} open close={() => setAdding(false)} />}</Suspense>
    </>
  );
  if (view === "conversation") return <article aria-label={`Trace ${outline.name}`}>{head}<div className="max-w-[860px]"><Conversation trace={id} open={(one) => set({ span: one, view: undefined })} /></div></article>;
  if (view === "raw") return <article aria-label={`Trace ${outline.name}`}>{head}<Raw trace={id} span={span} /></article>;
  const opened = span ?? usual(outline);
  const waterfall = <Waterfall key={id} outline={outline} span={opened} choose={choose} most={beside ? "min(46vh, 560px)" : "max(320px, calc(100vh - 330px))"} first={!beside} />;
  const detail = opened ? <Span trace={id} id={opened} /> : <p className="fine pt-4">Choose a span to read what was said in it, its attributes and its price.</p>;
  if (beside) return <article aria-label={`Trace ${outline.name}`}>{head}{waterfall}{detail}</article>;
  return (
    <article aria-label={`Trace ${outline.name}`}>
      {head}
      <div className="trace-columns"><div>{waterfall}</div><div className="trace-span">{detail}</div></div>
    </article>
  );
}

/** What is open where nobody chose: in a short trace what failed, cost or took most, in a long one nothing. */
function usual({ columns, spans }: Outline): string | undefined {
  if (spans > SHORT) return undefined;
  const dear = dearest(columns);
  return columns.span_id[errorsOf(columns).at(-1) ?? (dear < 0 ? slowest(columns) : dear)];
}
const SHORT = 50;
