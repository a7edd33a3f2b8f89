import { type FormEvent, useEffect, useRef, useState } from "react";
import { type Schemas, api, ask } from "@/api/client";
import { stale } from "@/api/query";
import { Dialog } from "@/components/Dialog";
import { Mark, type State } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { visible } from "@/components/Text";
import { notify } from "@/components/Toast";
import { significant } from "@/lib/format";
import type { Score } from "./questions";

/** A score in a word or a number, with its shape where it is yes or no. */
export function ScoreValue({ score, short }: { score: Score; short?: boolean }) {
  const { name, value, comment, source } = score;
  const state: State = value === true ? "good" : value === false ? "bad" : "none";
  const said = typeof value === "number" ? significant(value, 3) : value === true ? "yes" : value === false ? "no" : visible(String(value));
  const title = [`${name}: ${said}`, `by ${source ?? "code"}`, comment].filter(Boolean).join(" · ");
  return (
    <span className="nw text-fine" title={visible(title)}>
      <span className={state === "none" ? "ink2" : state}>{state !== "none" && <><Mark state={state} /> </>}{short && state === "bad" ? "not " : ""}{visible(name)}{short && state !== "none" ? "" : ` ${said}`}</span>
      {!short && <span className="mut"> {source}</span>}
    </span>
  );
}

/** What a score is of. */
export interface Scored {
  trace_id: string;
  span_id?: string;
  /** What it is called to whom scores it. */
  name: string;
}

/** Asks for a score: a name, a value, and why. It can be taken back. */
export function ScoreDialog({ of, open, close }: { of: Scored; open: boolean; close: () => void }) {
  const [name, setName] = useState("quality");
  const [value, setValue] = useState("");
  const [comment, setComment] = useState("");
  const [error, setError] = useState<unknown>();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => { if (open) first.current?.focus(); }, [open]);
  const put = async (event: FormEvent) => {
    event.preventDefault();
    const score: Schemas["Score"] = {
      id: crypto.randomUUID(), name: name.trim(), value: read(value), trace_id: of.trace_id, span_id: of.span_id ?? null, session: null, metadata: {}, comment: comment.trim() || null, source: "human", at_ns: Date.now() * 1e6,
    };
    try {
      await ask(api.POST("/api/v1/scores", { body: [score] }));
    } catch (problem) {
      setError(problem);
      return;
    }
    setError(undefined);
    setValue("");
    setComment("");
    close();
    stale("/api/v1/scores", "/api/v1/traces");
    notify(`Scored ${score.name} ${value.trim()}.`, () => void takeBack(score.id));
  };
  return (
    <Dialog open={open} close={close} title={<>Score {visible(of.name)}</>}>
      <form className="form" onSubmit={(event) => void put(event)}>
        <label>Name<input value={name} required maxLength={200} pattern="[^\s=!<>]+" title="Without spaces and without = ! < >" onChange={(event) => setName(event.target.value)} /></label>
        <div className="grid gap-1 text-data">
          <label htmlFor="score-value">Value: a number, yes or no, or a word</label>
          <span className="flex gap-2">
            <input id="score-value" className="flex-1" value={value} required maxLength={200} ref={first} onChange={(event) => setValue(event.target.value)} />
            <button type="button" aria-pressed={value === "yes"} onClick={() => setValue("yes")}><Mark state="good" /> yes</button>
            <button type="button" aria-pressed={value === "no"} onClick={() => setValue("no")}><Mark state="bad" /> no</button>
          </span>
        </div>
        <label>Comment<textarea rows={3} value={comment} maxLength={10_000} onChange={(event) => setComment(event.target.value)} /></label>
        {error !== undefined && <ProblemNote error={error} />}
        <span><button type="submit" className="go">Score</button></span>
      </form>
    </Dialog>
  );
}

function read(written: string): number | boolean | string {
  const text = written.trim();
  if (/^(yes|true)$/i.test(text)) return true;
  if (/^(no|false)$/i.test(text)) return false;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

async function takeBack(id: string): Promise<void> {
  try {
    await ask(api.DELETE("/api/v1/scores/{score_id}", { params: { path: { score_id: id } } }));
    stale("/api/v1/scores", "/api/v1/traces");
    notify("The score is gone.");
  } catch (error) {
    notify(error instanceof Error ? error.message : "The score could not be taken back.");
  }
}
