import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { Code } from "@/components/Copy";
import { ProblemNote } from "@/components/Problem";
import { count, counted, money } from "@/lib/format";
import { type Asked, JobLines, resultOf, submit, useJob } from "./Job";

/** How many more examples would decide it, what they cost, and the button that runs them. */
export function Needs({ sheet, need }: { sheet: Schemas["Sheet"]; need: Schemas["Need"] }) {
  const again = useAsk("/api/v1/comparisons/{id}/again", { params: { path: { id: sheet.id } } });
  const [job, setJob] = useState<string>();
  const running = useJob(job);
  const navigate = useNavigate();
  const verdicts = running?.state === "done" ? resultOf(running).verdicts : undefined;
  const next = verdicts?.find(({ candidate }) => candidate === sheet.lines[1]?.name) ?? verdicts?.[0];
  useEffect(() => {
    if (next && next.id !== sheet.id) void navigate({ to: "/experiments/$id", params: { id: next.id }, search: {} });
  }, [next, navigate, sheet.id]);
  const asked = again.data?.asked as Asked | null | undefined;
  const left = again.data?.dataset ? again.data.left : need.left;
  return (
    <section className="need" aria-label="What would decide it">
      <p className="say sm">
        {need.examples === null ? need.note : again.isPending ? "" : left > 0 ? `The dataset holds ${counted(left, "example")} that were not run${left < need.examples ? `: ${count(need.examples - left)} too few` : ""}.` : `The dataset is exhausted: all ${sheet.size} were run.`}
        {need.examples !== null && <span className="fine">{need.note}</span>}
      </p>
      {running && running.state !== "done" ? <div className="w-full"><JobLines job={running} /></div>
        : asked && left > 0 && need.examples !== null ? <RunMore asked={asked} have={examplesOf(sheet)} need={need} left={left} begin={setJob} />
        : asked ? <Repeat asked={asked} begin={setJob} />
        : again.data && <Elsewhere sheet={sheet} left={left} />}
      {again.data?.dataset && left === 0 && <Link className="btn" to="/datasets/$name" params={{ name: again.data.dataset.split("@")[0] ?? "" }} search={{}}>Add rows</Link>}
      {again.error && <ProblemNote error={again.error} retry={again.refetch} />}
    </section>
  );
}

function examplesOf(sheet: Schemas["Sheet"]): number {
  return sheet.counts.worse + sheet.counts.better + sheet.counts.tied;
}

/** `Run 140 more, $2.10`: the number can be changed, and its price with it. */
function RunMore({ asked, have, need, left, begin }: { asked: Asked; have: number; need: Schemas["Need"]; left: number; begin: (job: string) => void }) {
  const [more, setMore] = useState(Math.min(left, need.about ?? left));
  const { act, busy, error } = useSubmit(begin);
  const price = need.cost_usd !== null && need.examples ? `, ${money((need.cost_usd / need.examples) * more)}` : "";
  return (
    <>
      <label className="flex items-center gap-2 text-fine">Examples <input type="number" className="w-24" min={1} max={left} value={more} onChange={(event) => setMore(Math.max(1, Math.min(left, Math.round(Number(event.target.value)) || 1)))} /></label>
      <button type="button" className="go" disabled={busy} onClick={() => act({ ...asked, limit: have + more })}>Run {count(more)} more{price}</button>
      {error !== undefined && <ProblemNote error={error} />}
    </>
  );
}

/** Where no rows are left: the same questions once more, which narrows what is chance in the answers. */
function Repeat({ asked, begin }: { asked: Asked; begin: (job: string) => void }) {
  const { act, busy, error } = useSubmit(begin);
  const repeats = (asked.repeats ?? 1) + 1;
  return (
    <>
      <button type="button" disabled={busy} onClick={() => act({ ...asked, repeats })} title="Narrows what is chance in the answers; it makes up for no missing examples.">Ask each {repeats === 2 ? "twice" : `${repeats} times`}</button>
      {error !== undefined && <ProblemNote error={error} />}
    </>
  );
}

function Elsewhere({ sheet, left }: { sheet: Schemas["Sheet"]; left: number }) {
  return (
    <div className="w-full">
      <p className="fine">{left > 0 ? "It was started by a command, which runs the rest:" : "What to do: add rows to the dataset, or ask each example more than once (repeats), and give the command again:"}</p>
      <Code text={sheet.command ?? "boxscore compare SPEC.yaml"} label="Command" />
    </div>
  );
}

function useSubmit(begin: (job: string) => void) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const act = (asked: Asked) => {
    setBusy(true);
    setError(undefined);
    void submit(asked)
      .then((job) => begin(job.id), setError)
      .finally(() => setBusy(false));
  };
  return { act, busy, error };
}
