import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { useLive } from "@/api/live";
import { asks, useAsk } from "@/api/query";
import { Progress } from "@/components/Charts";
import { type Column, DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { Json } from "@/components/Json";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { Text, visible } from "@/components/Text";
import { Twin } from "@/components/Twin";
import { Duration, Id, Money } from "@/components/Values";
import { count, counted, duration, significant } from "@/lib/format";
import { useTitle } from "@/lib/title";
import { LineScore } from "./LineScore";
import "./boxscore.css";
import { Ago } from "./Marks";

const route = getRouteApi("/runs/$id");
type Trial = Schemas["TrialLine"];

/** A run: what answered, its own line, and its trials. */
export function RunPage() {
  const { id } = route.useParams();
  const found = useAsk("/api/v1/runs/{id}", { params: { path: { id } } });
  useTitle(found.data ? `Run of ${found.data.run.variant.name}` : "Run");
  if (found.isPending) return <Waiting what="Reading the run" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  return <Page detail={found.data} />;
}

function Page({ detail }: { detail: Schemas["RunDetail"] }) {
  const { which } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const [live, setLive] = useState<Schemas["RunEntry"]>();
  const run = live?.id === detail.run.id ? live : detail.run;
  const { counts, variant } = run;
  useLive(detail.run.state === "finished" ? null : `/api/v1/runs/${encodeURIComponent(detail.run.id)}/events`, {}, ["run"], (_, data) => {
    const told = data as Schemas["RunEntry"];
    setLive(told);
    void client.invalidateQueries({ queryKey: ["/api/v1/runs/{id}/trials"] });
    if (told.state === "finished") void client.invalidateQueries({ queryKey: asks("/api/v1/runs/{id}", { params: { path: { id: told.id } } }).queryKey });
  });
  const failures = Object.entries(counts.failures);
  return (
    <>
      <div className="title">
        <p className="crumb"><Link to="/experiments" search={{ tab: "runs", dataset: run.dataset }}><bdi>{run.dataset}</bdi></Link> <span className="mut">/</span> <bdi>{variant.name}</bdi></p>
        <p className="fine">{counted(counts.asked, "trial")} · began <Ago at={run.started_at} /> · <Money usd={counts.spent_usd} /> · <Id id={run.id} /></p>
      </div>
      <h1 className="say pt-4">{sentence(run)}</h1>
      {run.state !== "finished" && (
        <p className="mt-2 text-data"><Progress of={counts.asked ? counts.trials / counts.asked : 0} name="progress" /> {count(counts.trials)} of {count(counts.asked)}{run.per_s !== null && <>, {significant(run.per_s)} calls a second</>}{run.left_s !== null && <>, {duration(run.left_s)} left</>}{run.state === "stopped" && <>. The same command, or job, goes on where it stopped.</>}</p>
      )}
      {detail.columns.length > 0 && (
        <Section title="Line score" fine="Of this run alone; whether it is better than another only a comparison tells. Under each number its 95 % interval.">
          <LineScore columns={detail.columns} lines={[{ name: variant.name, model: variant.model, hash: variant.hash, role: run.state, place: 0, run: null, cells: detail.cells }]} />
        </Section>
      )}
      <div className="columns c2">
        <Section title="What answered" tools={<Link className="btn noprint" to="/experiments" search={{ variant: variant.hash }}>Box scores with it</Link>}>
          <dl className="facts">
            <dt>kind</dt><dd>{detail.kind}</dd>
            <dt>model</dt><dd><bdi>{variant.model ?? "not said"}</bdi></dd>
            <dt>hash</dt><dd><Id id={variant.hash} /></dd>
          </dl>
          <div className="mt-2"><Json value={detail.description} open={1} /></div>
        </Section>
        <Section title="Counts" fine="Over its rows, as they are now.">
          <dl className="facts">
            <dt>dataset</dt><dd><bdi>{run.dataset}</bdi> <span className="mono mut">{run.version.slice(0, 12)}</span></dd>
            <dt>scorers</dt><dd>{run.scorers.join(", ") || "none"}</dd>
            <dt>repeats</dt><dd>{run.repeats}</dd>
            <dt>calls paid</dt><dd>{count(counts.calls)}{counts.unpriced > 0 && <span className="bad"> · {count(counts.unpriced)} at no known price</span>}</dd>
            <dt>reused</dt><dd>{count(counts.reused)}</dd>
            <dt>errors</dt><dd>{counts.errors ? <span className="bad">{failures.map(([kind, many]) => `${count(many)} ${kind}`).join(", ")}</span> : "none"}</dd>
          </dl>
        </Section>
      </div>
      <Section
        title="Trials"
        fine="A row opens its answer, its scores and what it cost."
        tools={<Choice name="Which trials" value={which ?? "all"} options={[["all", `all ${count(counts.trials)}`], ["errors", `errors ${count(counts.errors)}`], ["reused", `reused ${count(counts.reused)}`]]} choose={(one) => void navigate({ search: (now) => ({ ...now, which: one === "all" ? undefined : one }), replace: true, resetScroll: false })} />}
      >
        <Trials id={run.id} metrics={run.metrics} which={which ?? "all"} />
      </Section>
      <Twin path={`/api/v1/runs/${run.id}/trials`} query={{ which }} />
    </>
  );
}

function sentence({ variant, counts, state }: Schemas["RunEntry"]) {
  const answered = counts.trials - counts.errors;
  const said = state === "finished" ? "answered" : state === "running" ? "has answered" : "stopped after";
  return <><bdi>{variant.name}</bdi> {said} <b>{counted(answered, "question")}</b>{counts.errors > 0 && <>, <b>{counted(counts.errors, "call")}</b> failed</>}.</>;
}

function Trials({ id, metrics, which }: { id: string; metrics: readonly string[]; which: "all" | "errors" | "reused" }) {
  const { example, open } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery({
    queryKey: ["/api/v1/runs/{id}/trials", currentProject() ?? null, id, which, example ?? null],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/runs/{id}/trials", { params: { path: { id }, query: { which, example, limit: 200, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  const trials = found.data?.pages.flatMap(({ items }) => items) ?? [];
  if (found.isPending) return <Waiting what="Reading the trials" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  if (!trials.length) return <Empty title={which === "errors" ? "No call failed." : which === "reused" ? "No answer was reused: all were asked by this run." : "Nothing came back yet."} />;
  const set = (key: string | undefined) => void navigate({ search: (now) => ({ ...now, open: key }), replace: true, resetScroll: false });
  const shown = trials.find((trial) => keyOf(trial) === open);
  return (
    <>
      <DataTable name="Trials" rows={trials} columns={columns(metrics, trials.some(({ repeat }) => repeat > 0))} rowKey={keyOf} keys open={(trial) => set(keyOf(trial))} current={open} atEnd={() => { if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage(); }} />
      {shown && <Dialog open close={() => set(undefined)} title={<>Example <code>{visible(shown.example_id)}</code>{shown.repeat > 0 && <>, repeat {shown.repeat}</>}</>} wide><Detail trial={shown} /></Dialog>}
    </>
  );
}

const keyOf = (trial: Trial) => `${trial.example_id}~${trial.repeat}`;

function columns(metrics: readonly string[], repeats: boolean): Column<Trial>[] {
  return [
    { id: "example", head: "example", row: true, cell: ({ example_id, repeat }) => <><code>{visible(example_id)}</code>{repeats && <span className="mut"> {repeat}</span>}</>, className: "clip", width: "110px" },
    { id: "question", head: "question", cell: ({ question }) => <bdi>{visible(question.slice(0, 300))}</bdi>, className: "clip hide-s" },
    { id: "output", head: "answer", cell: ({ output, error, tool_calls }) => (error ? <span className="bad">{error.kind}: {visible(error.message.slice(0, 200))}</span> : <bdi>{visible(output.slice(0, 300)) || tool_calls.map(({ name }) => name).join(", ") || "an empty answer"}</bdi>), className: "clip" },
    ...metrics.map((metric): Column<Trial> => ({ id: `score ${metric}`, head: <bdi>{metric}</bdi>, num: true, cell: ({ scores }) => <Score score={scores[metric]} />, className: "clip", width: "112px" })),
    { id: "tokens", head: "tokens out", num: true, cell: ({ tokens_out }) => (tokens_out === null ? <span className="mut">·</span> : count(tokens_out)), className: "hide-s", width: "84px" },
    { id: "latency", head: "latency", num: true, cell: ({ latency_s }) => <Duration seconds={latency_s} />, className: "hide-s", width: "84px" },
    { id: "cost", head: "cost", num: true, cell: ({ cost_usd }) => <Money usd={cost_usd} />, className: "hide-s", width: "92px" },
  ];
}

function Score({ score }: { score: Schemas["TrialScore"] | undefined }) {
  if (!score || score.value === null) return <span className="mut">·</span>;
  const label = score.label ? <span className="mut"> {visible(score.label.length > 18 ? `${score.label.slice(0, 17)}…` : score.label)}</span> : null;
  return <span title={score.note ?? undefined}>{significant(score.value, 3)}{label}</span>;
}

function Detail({ trial }: { trial: Trial }) {
  return (
    <div className="grid gap-4 text-data">
      <div><h3>Question</h3><Text text={trial.question} className="max-h-[30vh] overflow-y-auto" /></div>
      {trial.reference !== null && trial.reference !== undefined && <div><h3>Reference</h3><Text text={typeof trial.reference === "string" ? trial.reference : JSON.stringify(trial.reference)} /></div>}
      {trial.reasoning && <div><h3>Reasoning</h3><Text text={trial.reasoning} className="mut" /></div>}
      <div>
        <h3>Answer</h3>
        {trial.error ? <p className="txt bad">{trial.error.kind}{trial.error.status !== null && ` (${trial.error.status})`}: {visible(trial.error.message)}</p> : trial.output ? <Text text={trial.output} className="max-h-[40vh] overflow-y-auto" /> : trial.tool_calls.length === 0 && <p className="mut">an empty answer</p>}
        {trial.tool_calls.map((call, at) => <div key={at} className="mt-2"><p className="mono">{visible(call.name)}</p><Json value={call.arguments} open={1} /></div>)}
      </div>
      <div>
        <h3>Scores</h3>
        <dl className="facts">
          {Object.entries(trial.scores).flatMap(([metric, { value, label, note }]) => [<dt key={metric}><bdi>{metric}</bdi></dt>, <dd key={`${metric} value`}>{value ?? "none"}{label && <> · <bdi>{visible(label)}</bdi></>}{note && <span className="mut"> · <bdi>{visible(note)}</bdi></span>}</dd>])}
          <dt>cost</dt><dd><Money usd={trial.cost_usd} /> {trial.price && <span className="mut">{trial.price}</span>}</dd>
          <dt>tokens</dt><dd>{trial.tokens_in === null ? "·" : count(trial.tokens_in)} in, {trial.tokens_out === null ? "·" : count(trial.tokens_out)} out</dd>
          <dt>latency</dt><dd><Duration seconds={trial.latency_s} />{trial.first_token_s !== null && <span className="mut"> · first token <Duration seconds={trial.first_token_s} /></span>}</dd>
          <dt>model</dt><dd><bdi>{trial.model ?? "not said"}</bdi></dd>
          <dt>answered</dt><dd><Ago at={trial.recorded_at} />{trial.reused && " · reused"}</dd>
        </dl>
      </div>
    </div>
  );
}
