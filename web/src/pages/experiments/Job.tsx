import { useState } from "react";
import { type Schemas, api, ask } from "@/api/client";
import type { paths } from "@/api/schema";
import { useLive } from "@/api/live";
import { stale, useAsk } from "@/api/query";
import { Progress } from "@/components/Charts";
import { ProblemNote } from "@/components/Problem";
import { Money } from "@/components/Values";
import { count } from "@/lib/format";
import { Ago } from "./Marks";

export type Job = Schemas["Job"];
type Body = paths["/api/v1/comparisons"]["post"]["requestBody"]["content"]["application/json"];
/** A comparison as it is asked for: what has a default may be left out. */
export type Asked = Partial<Omit<Body, "variants">> & Pick<Body, "dataset"> & { variants: Record<string, Partial<Body["variants"][string]>> };

interface Told {
  done: number;
  total: number;
  errors: number;
  reused: number;
  spent_usd: string;
  forecast_usd: string | null;
}

interface Result {
  verdicts?: { id: string; verdict: string; candidate: string }[];
  runs?: string[];
}

/** How far each variant of a job is. */
export function progressOf(job: Job): [string, Told][] {
  return Object.entries((job.progress ?? {}) as Record<string, Told>);
}

export function resultOf(job: Job): Result {
  return (job.result ?? {}) as Result;
}

/** Asks for a comparison. The key makes a click that is sent twice one job. */
export async function submit(asked: Asked): Promise<Job> {
  const job = await ask(api.POST("/api/v1/comparisons", { body: asked as Body, params: { header: { "idempotency-key": crypto.randomUUID() } } }));
  stale("/api/v1/jobs", "/api/v1/runs");
  return job;
}

/** A job told live, until it ends. */
export function useJob(id: string | undefined): Job | undefined {
  const asked = useAsk("/api/v1/jobs/{id}", { params: { path: { id: id ?? "" } } }, { enabled: id !== undefined });
  const [told, setTold] = useState<Job>();
  const found = told?.id === id ? told : asked.data;
  const ended = found !== undefined && ["done", "failed", "cancelled"].includes(found.state);
  useLive(id === undefined || ended ? null : `/api/v1/jobs/${encodeURIComponent(id)}/events`, {}, ["job"], (_, data) => {
    const job = data as Job;
    setTold(job);
    if (job.state === "done") stale("/api/v1/comparisons", "/api/v1/runs", "/api/v1/matrix");
  });
  return found;
}

/** A job under way: a line a variant with its share, spend of what was foreseen, and a way to stop it. */
export function JobLines({ job }: { job: Job }) {
  const [error, setError] = useState<unknown>();
  const act = (what: "cancel" | "retry") => {
    setError(undefined);
    const init = { params: { path: { id: job.id } } };
    void ask(what === "cancel" ? api.POST("/api/v1/jobs/{id}/cancel", init) : api.POST("/api/v1/jobs/{id}/retry", init)).then(() => stale("/api/v1/jobs"), setError);
  };
  const lines = progressOf(job);
  const failed = job.error as { code?: string; message?: string } | null;
  return (
    <div className="job">
      <p className="flex flex-wrap items-baseline gap-x-3 text-data">
        <b>{job.kind}</b>
        <span className={job.state === "failed" ? "bad" : ""}>{job.cancel_asked_at && job.state === "running" ? "stopping" : job.state}</span>
        <span className="fine">asked for <Ago at={job.created_at} />{job.created_by && <> by <bdi>{job.created_by}</bdi></>}</span>
        <span className="grow" />
        {(job.state === "waiting" || job.state === "running") && !job.cancel_asked_at && <button type="button" className="h-6 text-fine" onClick={() => act("cancel")}>Stop</button>}
        {(job.state === "failed" || job.state === "cancelled") && <button type="button" className="h-6 text-fine" onClick={() => act("retry")}>Go on</button>}
      </p>
      {lines.length > 0 && (
        <table className="tight">
          <tbody>
            {lines.map(([name, { done, total, errors, reused, spent_usd, forecast_usd }]) => (
              <tr key={name}>
                <th scope="row"><bdi>{name}</bdi></th>
                <td className="nw"><Progress of={total ? done / total : 0} name={`${name}: ${done} of ${total}`} /> {count(done)} of {count(total)}</td>
                <td className="num"><Money usd={spent_usd} />{forecast_usd !== null && <span className="mut"> of about <Money usd={forecast_usd} /></span>}</td>
                <td className="num hide-s">{reused > 0 && <span className="mut">{count(reused)} reused</span>}</td>
                <td className="num">{errors > 0 && <span className="bad">{count(errors)} failed</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {job.state === "failed" && failed?.message && <p className="txt bad mt-1 text-data">{failed.message}</p>}
      {error !== undefined && <ProblemNote error={error} />}
    </div>
  );
}
