import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { type Schemas, api, ask } from "@/api/client";
import { asProblem } from "@/api/problem";
import { stale, useAsk } from "@/api/query";
import { Progress } from "@/components/Charts";
import { Section } from "@/components/Section";
import { Money } from "@/components/Values";
import { notify } from "@/components/Toast";
import { count, duration, significant } from "@/lib/format";
import { type Job, JobLines, progressOf } from "./Job";
import { Ago } from "./Marks";

const OFTEN = 2000;
const FRESH_MS = 10 * 60_000;

/** What runs now: progress, spend of what was foreseen, rate and time left; jobs that wait, and those that failed
 *  just now. Nothing where nothing runs. */
export function Running() {
  const runs = useAsk("/api/v1/runs", { params: { query: { unfinished: true, limit: 20 } } }, { every: OFTEN });
  const jobs = useAsk("/api/v1/jobs", { params: { query: { limit: 20 } } }, { every: OFTEN });
  const moving = runs.data?.items.filter(({ state }) => state === "running") ?? [];
  const shown = jobs.data?.items.filter(({ state, finished_at }) => state === "waiting" || state === "running" || (state === "failed" && finished_at !== null && Date.now() - Date.parse(finished_at) < FRESH_MS)) ?? [];
  const running = new Map(shown.map((job) => [job.id, job]));
  const rows = moving.filter(({ job }) => job === null || running.get(job)?.state === "running");
  const aside = shown.filter((job) => !rows.some((run) => run.job === job.id));
  const under = shown.filter(({ state }) => state !== "failed").map(({ id }) => id).join(" ");
  const before = useRef(under);
  useEffect(() => {
    // what was under way and is no more has left something
    if (before.current.split(" ").some((id) => id && !under.includes(id))) stale("/api/v1/comparisons", "/api/v1/runs", "/api/v1/matrix");
    before.current = under;
  }, [under]);
  if (!rows.length && !aside.length) return null;
  return (
    <Section title="Under way" fine="Told live. What came back is kept: stopping loses nothing that was paid.">
      {rows.length > 0 && (
        <div className="scroll">
          <table>
            <thead><tr><th scope="col">variant</th><th scope="col">dataset</th><th scope="col">progress</th><th scope="col" className="num">rate</th><th scope="col" className="num">left</th><th scope="col" className="num">spent</th><th scope="col" className="num">errors</th><th scope="col" className="num hide-s">began</th><th scope="col"><span className="hidden-text">stop</span></th></tr></thead>
            <tbody>{rows.map((run) => <Line key={run.id} run={run} job={run.job === null ? undefined : running.get(run.job)} />)}</tbody>
          </table>
        </div>
      )}
      {aside.map((job) => <JobLines key={job.id} job={job} />)}
    </Section>
  );
}

function Line({ run, job }: { run: Schemas["RunEntry"]; job?: Job }) {
  const { asked, trials, errors, spent_usd } = run.counts;
  const foreseen = job && progressOf(job).find(([name]) => name === run.variant.name)?.[1].forecast_usd;
  return (
    <tr>
      <th scope="row"><Link to="/runs/$id" params={{ id: run.id }} search={{}}><bdi>{run.variant.name}</bdi></Link></th>
      <td><bdi>{run.dataset}</bdi></td>
      <td className="nw"><Progress of={asked ? trials / asked : 0} name={`${run.variant.name}: ${trials} of ${asked}`} /> {count(trials)} of {count(asked)}</td>
      <td className="num">{run.per_s === null ? <span className="mut">·</span> : `${significant(run.per_s)} /s`}</td>
      <td className="num">{run.left_s === null ? <span className="mut">·</span> : duration(run.left_s)}</td>
      <td className="num"><Money usd={spent_usd} />{foreseen && <span className="mut"> of about <Money usd={foreseen} /></span>}</td>
      <td className={`num ${errors ? "bad" : ""}`}>{count(errors)}</td>
      <td className="num hide-s"><Ago at={run.started_at} /></td>
      <td className="num">{job && !job.cancel_asked_at ? <button type="button" className="h-6 text-fine" aria-label={`Stop the ${job.kind} that ${run.variant.name} is of`} onClick={() => void stop(job)}>Stop</button> : job && <span className="mut">stopping</span>}</td>
    </tr>
  );
}

async function stop(job: Job): Promise<void> {
  try {
    await ask(api.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id: job.id } } }));
    notify(`The ${job.kind} stops; what came back is kept.`);
    stale("/api/v1/jobs");
  } catch (error) {
    notify(asProblem(error).message);
  }
}
