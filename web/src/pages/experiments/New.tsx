import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId, useState } from "react";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useAsk } from "@/api/query";
import { ProblemNote } from "@/components/Problem";
import { Answer, Empty, Section } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { count, counted, money } from "@/lib/format";
import { useTitle } from "@/lib/title";
import { type Asked, JobLines, resultOf, submit, useJob } from "./Job";
import type { Kind } from "./decide";
import { type Draft, type Side, askedOf, draftOf, fresh } from "./draft";
import "./boxscore.css";

const route = getRouteApi("/experiments/new");

/** Starting a comparison: what it is on, what answers, what decides, and before it costs anything what it can show. */
export function New() {
  useTitle("Compare");
  const { dataset, like } = route.useSearch();
  const again = useAsk("/api/v1/comparisons/{id}/again", { params: { path: { id: like ?? "" } } }, { enabled: like !== undefined });
  if (like !== undefined && again.isPending) return null;
  const asked = again.data?.asked as Asked | null | undefined;
  return <Form key={like} start={asked ? draftOf(asked) : { ...fresh(), dataset: dataset ?? "" }} />;
}

function Form({ start }: { start: Draft }) {
  const [draft, setDraft] = useState(start);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const [job, setJob] = useState<string>();
  const running = useJob(job);
  const navigate = useNavigate();
  const begin = useMutation({ mutationFn: submit, onSuccess: ({ id }) => setJob(id) });
  const verdict = running?.state === "done" ? resultOf(running).verdicts?.[0]?.id : undefined;
  useEffect(() => {
    if (verdict) void navigate({ to: "/experiments/$id", params: { id: verdict }, search: {} });
  }, [verdict, navigate]);
  const made = askedOf(draft);
  const wanted = made.problem === undefined ? JSON.stringify(made.asked) : undefined;
  const [settled, setSettled] = useState(wanted);
  useEffect(() => {
    const rest = setTimeout(() => setSettled(wanted), 400); // when the typing rests
    return () => clearTimeout(rest);
  }, [wanted]);
  const plan = useQuery({
    queryKey: ["/api/v1/comparisons/plan", currentProject() ?? null, settled ?? null],
    // without its signal: a plan that is cancelled and wanted again at once would never be asked for
    queryFn: () => ask(api.POST("/api/v1/comparisons/plan", { body: JSON.parse(settled ?? "") as never })),
    enabled: settled !== undefined && job === undefined,
    staleTime: 30_000,
    retry: (tries, error) => tries < 3 && asProblem(error).status >= 500, // the server was busy; a wrong spec stays wrong
  });
  const busy = begin.isPending || (running !== undefined && !["failed", "cancelled"].includes(running.state));
  const price = plan.data?.usd != null && plan.data.calls > 0 ? `, about ${money(plan.data.usd)}` : "";
  return (
    <>
      <Answer>Is the change worth it?</Answer>
      <form onSubmit={(event) => { event.preventDefault(); if (made.problem === undefined) begin.mutate(made.asked); }}>
        <Section title="On which examples">
          <Dataset draft={draft} set={set} />
        </Section>
        <Section title="What answers" fine="The same examples are asked of both. A prompt is a text with {{ variables }} of the example, or messages as JSON.">
          <div className="columns c2">
            {draft.sides.map((side, at) => (
              <Variant key={at} side={side} place={at} set={(change) => set({ sides: draft.sides.map((one, other) => (other === at ? { ...one, ...change } : one)) })} drop={draft.sides.length > 2 ? () => set({ sides: draft.sides.filter((_, other) => other !== at) }) : undefined} />
            ))}
          </div>
          {draft.sides.length < 6 && <button type="button" className="mt-3" onClick={() => set({ sides: [...draft.sides, { ...draft.sides[1]!, name: `candidate ${draft.sides.length}` }] })}>One more candidate</button>}
        </Section>
        <Section title="What decides" fine="Set before the run: what is decided after looking is not a test.">
          <Rule draft={draft} set={set} />
        </Section>
        <Section title="What it can show, and costs" fine="Worked out before anything is asked of anybody.">
          <Plan problem={made.problem} plan={plan.data} error={plan.error} waiting={plan.isFetching} />
          <div className="mt-4 flex flex-wrap items-center gap-3">
            <button type="submit" className="go" disabled={busy || made.problem !== undefined || plan.isError}>Compare{price}</button>
            <span className="fine">At most {draft.cap ? money(draft.cap) : plan.data ? money(plan.data.spend_cap_usd) : "the server's cap"} is spent; what came back is kept.</span>
          </div>
          {begin.error && <ProblemNote error={begin.error} />}
          {running && <JobLines job={running} />}
        </Section>
      </form>
    </>
  );
}

interface Part {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
}

function Dataset({ draft, set }: Part) {
  const known = useAsk("/api/v1/datasets");
  const lines = known.data?.items ?? [];
  const chosen = lines.find(({ name }) => name === draft.dataset.split("@")[0]);
  if (known.data && !lines.length) return <Empty title={<>There is no dataset yet: <Link to="/datasets" search={{}}>make one</Link> from a file or from traces.</>} />;
  return (
    <div className="flex flex-wrap items-end gap-4">
      <Field label="Dataset">
        <select value={chosen?.name ?? ""} onChange={(event) => set({ dataset: event.target.value })} required>
          <option value="" disabled>choose one</option>
          {lines.map(({ name, head }) => <option key={name} value={name}>{name} · {counted(head?.examples ?? 0, "example")}</option>)}
        </select>
      </Field>
      <Field label="First examples only"><input type="number" min={1} className="w-28" placeholder="all" value={draft.limit} onChange={(event) => set({ limit: event.target.value })} /></Field>
      <Field label="Answers to each"><input type="number" min={1} max={50} className="w-20" value={draft.repeats} onChange={(event) => set({ repeats: event.target.value })} /></Field>
    </div>
  );
}

function Variant({ side, place, set, drop }: { side: Side; place: number; set: (change: Partial<Side>) => void; drop?: () => void }) {
  const providers = useAsk("/api/v1/providers");
  const known = providers.data ?? [];
  const found = known.find(({ name }) => name === side.provider);
  return (
    <fieldset className="mt-2 min-w-0">
      <legend className="flex w-full items-center gap-2 font-semibold">{place === 0 ? "Baseline" : place === 1 ? "Candidate" : "Another candidate"}{drop && <button type="button" className="bare h-6" aria-label={`without ${side.name}`} onClick={drop}>✕</button>}</legend>
      <div className="form mt-1 max-w-none!">
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
          <label>Name<input value={side.name} onChange={(event) => set({ name: event.target.value })} required /></label>
          <label>Provider
            <select value={side.provider} onChange={(event) => set({ provider: event.target.value })}>
              {known.map(({ name, ready }) => <option key={name} value={name}>{name}{ready ? "" : " (no key)"}</option>)}
            </select>
          </label>
          <label>Model<input value={side.model} onChange={(event) => set({ model: event.target.value })} required spellCheck={false} /></label>
        </div>
        {found && !found.ready && <p className="fine bad">The server has no key of {found.name}: set {found.key_env} where it runs.</p>}
        <label>Prompt or messages<textarea className="mono" rows={6} value={side.prompt} spellCheck={false} onChange={(event) => set({ prompt: event.target.value })} required /></label>
        <label>Parameters, as JSON<input className="mono" value={side.params} spellCheck={false} placeholder='{"temperature": 0}' onChange={(event) => set({ params: event.target.value })} /></label>
      </div>
    </fieldset>
  );
}

const RULES: readonly (readonly [Kind, string])[] = [["superiority", "better"], ["noninferiority", "not worse, and saves"], ["value", "worth its price"]];

function Rule({ draft, set }: Part) {
  const scorers = useAsk("/api/v1/scorers");
  const id = useId();
  const form = scorers.data?.find(({ name }) => name === draft.scorers.split(/[\n,:]/)[0]?.trim());
  return (
    <div className="grid gap-4">
      <Field label="Scorers, the first decides" grow>
        <input list={id} className="mono w-full" value={draft.scorers} spellCheck={false} onChange={(event) => set({ scorers: event.target.value })} required placeholder="exact" />
        <datalist id={id}>{scorers.data?.map(({ name, form: written, summary }) => <option key={name} value={written}>{summary}</option>)}</datalist>
        {form && <span className="fine">{form.summary} Written <code>{form.form}</code>; several are parted by a semicolon.</span>}
      </Field>
      <div className="flex flex-wrap items-end gap-4">
        <Field label="The candidate must be" group><Choice name="Rule" value={draft.rule} options={RULES} choose={(rule) => set({ rule })} /></Field>
        {draft.rule === "value"
          ? <Field label="A success is worth, $"><input type="number" min={0} step="any" className="w-28" value={draft.price} required onChange={(event) => set({ price: event.target.value })} /></Field>
          : <Field label={draft.rule === "superiority" ? "By more than, points" : "Worse by less than, points"}><input type="number" min={0} step="any" className="w-28" value={draft.margin} onChange={(event) => set({ margin: event.target.value })} /></Field>}
        <Field label="Spend cap, $"><input type="number" min={0} step="any" className="w-28" placeholder="the server's" value={draft.cap} onChange={(event) => set({ cap: event.target.value })} /></Field>
      </div>
    </div>
  );
}

function Plan({ problem, plan, error, waiting }: { problem?: string; plan?: Schemas["Estimate"]; error: unknown; waiting: boolean }) {
  if (problem !== undefined) return <p className="mut text-data">{problem}</p>;
  if (error) return <p className="text-data bad" role="alert">{asProblem(error).message}</p>;
  if (!plan) return <p className="mut text-data" role="status">{waiting ? "Working it out …" : ""}</p>;
  return (
    <div className={waiting ? "opacity-60" : ""}>
      <p className="say sm">{plan.plan.reason}</p>
      <p className="fine mt-1">{plan.calls === 0 ? "All answers are there already: nothing is asked." : `${count(plan.calls)} calls, ${plan.usd === null ? "at a price that is not known" : `about ${money(plan.usd)}`}; what was answered within a day is taken again.`}</p>
    </div>
  );
}

function Field({ label, children, grow, group }: { label: string; children: ReactNode; grow?: boolean; group?: boolean }) {
  const Tag = group ? "div" : "label";
  return <Tag className={`grid gap-1 text-data ${grow ? "max-w-[640px]" : ""}`}><span>{label}</span>{children}</Tag>;
}
