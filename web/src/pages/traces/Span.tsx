import { type ReactNode, useState } from "react";
import type { Schemas } from "@/api/client";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { count, duration, money } from "@/lib/format";
import { ScoreValue } from "./Scores";
import { Folded, Said, asText } from "./Said";
import { useSpan } from "./questions";

type Detail = Schemas["SpanDetail"];

/** One span, whole: what was said, its parameters, every attribute as it came, and the arithmetic of its cost. */
export function Span({ trace, id }: { trace: string; id: string }) {
  const { data, error, refetch } = useSpan(trace, id);
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <Waiting what="Reading the span" />;
  return <Whole detail={data} />;
}

const SHOWN = 40;

function Whole({ detail }: { detail: Detail }) {
  const { span, told, scores } = detail;
  const parameters = parametersOf(told.attributes);
  const messages = [...detail.input, ...detail.output];
  const [all, setAll] = useState(false);
  const shown = all ? messages : messages.slice(-SHOWN);
  const cached = span.cached_tokens ? `cached ${count(span.cached_tokens)}` : undefined;
  const asked = span.model_asked && span.model && span.model_asked !== span.model;
  return (
    <section aria-label={`Span ${visible(span.name)}`} className="mt-5">
      <div className="flex flex-wrap items-baseline gap-x-3 border-t border-rule-ink pt-1.5 pb-2">
        <h2 className="min-w-0 break-words">{visible(span.name)}</h2>
        <p className="fine flex-1 basis-40">
          {[
            span.duration_ns === null ? "told no end" : duration((span.duration_ns ?? 0) / 1e9),
            span.first_token_ns ? `first token after ${duration(span.first_token_ns / 1e9)}` : undefined,
            span.input_tokens !== null || span.output_tokens !== null ? `${count(span.input_tokens ?? 0)} tokens in${cached ? ` (${cached})` : ""}, ${count(span.output_tokens ?? 0)} out${span.reasoning_tokens ? ` (${count(span.reasoning_tokens)} reasoning)` : ""}` : undefined,
          ].filter(Boolean).join(" · ")}
          {span.model && <> · {asked ? "answered by" : ""} <code>{visible(span.model)}</code></>}
          {asked && <> (asked: <code>{visible(span.model_asked ?? "")}</code>)</>}
          {parameters.map(([name, value]) => <span key={name}> · {visible(name)} {visible(asText(value)).slice(0, 60)}</span>)}
        </p>
        {scores.map((score) => <ScoreValue key={score.id} score={score} />)}
      </div>
      {span.error && <div className="mb-2 border-l-2 border-bad bg-sunk px-3 py-1.5 text-data"><Folded text={span.status_message || "It failed, and told no reason."} /></div>}
      {shown.length < messages.length && <button type="button" className="plain link fine" onClick={() => setAll(true)}>{count(messages.length - shown.length)} earlier messages</button>}
      {shown.map((message, at) => <Said key={at} message={message} dim={message.role === "system"} />)}
      {messages.length === 0 && <p className="fine py-1">Nothing was said in it that can be read.</p>}
      <PriceLine detail={detail} />
      <Table title="Metadata" found={span.metadata ?? {}} open />
      <Table title="Attributes, as they came" found={told.attributes ?? {}} />
      {(told.events ?? []).slice(0, 50).map((event, at) => (
        <Table key={at} title={<>Event {visible(event.name)}, after {duration(Math.max(0, (event.time_ns - span.start_ns) / 1e9))}</>} found={event.attributes} open={event.name === "exception"} />
      ))}
      {(told.events ?? []).length > 50 && <p className="fine">{count((told.events ?? []).length - 50)} more events: under Raw.</p>}
      <Table title="Resource" found={told.resource ?? {}} />
      <Table title="Scope" found={scopeOf(told.scope)} />
    </section>
  );
}

/** `1,136 in × $3.00 + 412 out × $15.00 per million = $0.0102`. */
function PriceLine({ detail: { span, priced } }: { detail: Detail }) {
  if (span.cost_usd === null || span.cost_usd === undefined) {
    if (span.input_tokens === null || !(span.model ?? span.model_asked)) return null;
    return <p className="fine pt-2">No price is known of {visible(span.model ?? span.model_asked ?? "this model")}, so there is no cost: <code>boxscore prices</code> takes one of your own.</p>;
  }
  if (!priced) return <p className="fine pt-2">Cost <b className="ink2" title={`$${span.cost_usd}`}>{money(span.cost_usd)}</b>, by {span.price ? <>price row <code>{visible(span.price)}</code>, which today's book does not have</> : "what the sender told"}.</p>;
  if (priced.source === "local") return <p className="fine pt-2">It costs nothing: the model runs here.</p>;
  const million = priced.parts.every(({ per }) => per === 1_000_000);
  return (
    <p className="fine pt-2">
      Price of {visible(span.name)}:{" "}
      {inOrder(priced.parts).map(({ kind, count: many, usd_per_unit, per, above }, at) => (
        <span key={kind}>{at > 0 && " + "}{count(Number(many))} {KINDS[kind] ?? kind.replaceAll("_", " ")} × {money(usd_per_unit)}{million ? "" : ` per ${count(per)}`}{above !== null && above !== undefined ? ` (above ${count(above)})` : ""}</span>
      ))}
      {priced.parts.length === 0 && "nothing is charged"}
      {million && priced.parts.length > 0 && " per million"} = <b className="ink2" title={`$${priced.total_usd}`}>{exact(priced.total_usd)}</b>
      {" · "}{visible(priced.provider ?? priced.source)}, {priced.since ? <>prices of {priced.since}</> : <>prices of {priced.source === "own" ? "your own" : priced.source}, with no date</>} <code title="The price row">{visible(priced.price)}</code>
      {!priced.agrees && <> · kept with the span: <b className="ink2">{exact(span.cost_usd)}</b>, of a book that has changed since</>}
    </p>
  );
}

const KINDS: Record<string, string> = { input: "in", cache_read: "cached", cache_write: "written to the cache", output: "out" };

/** In, cached, out, and the rest. */
function inOrder(parts: Schemas["Priced"]["parts"]): Schemas["Priced"]["parts"] {
  const order = Object.keys(KINDS);
  const place = (kind: string) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...parts].sort((one, other) => place(one.kind) - place(other.kind));
}

/** All digits of an amount, without the zeros behind. */
function exact(usd: string): string {
  return `$${usd.includes(".") ? usd.replace(/0+$/, "").replace(/\.$/, "") : usd}`;
}

function Table({ title, found, open = false }: { title: ReactNode; found: Record<string, unknown>; open?: boolean }) {
  const entries = Object.entries(found);
  const [shown, setShown] = useState(100);
  if (entries.length === 0 && !(open && typeof title !== "string")) return null;
  return (
    <details open={open} className="mt-3 text-data">
      <summary className="cursor-pointer font-semibold">{title} <span className="fine font-normal">{entries.length}</span></summary>
      <dl className="facts mono mt-1 grid-cols-[minmax(0,2fr)_minmax(0,5fr)]!">
        {entries.slice(0, shown).flatMap(([key, value]) => [<dt key={`${key} key`}>{visible(key)}</dt>, <dd key={key}><Folded text={asText(value)} at={300} /></dd>])}
      </dl>
      {entries.length > shown && <button type="button" className="plain link fine" onClick={() => setShown(shown + 400)}>{count(entries.length - shown)} more</button>}
    </details>
  );
}

const PARAMETERS: Record<string, string> = {
  "gen_ai.request.temperature": "T", "gen_ai.request.top_p": "top p", "gen_ai.request.max_tokens": "at most", "gen_ai.request.seed": "seed", "gen_ai.response.finish_reasons": "finish", "llm.invocation_parameters": "parameters",
};

function parametersOf(attributes: Record<string, unknown> | undefined): [string, unknown][] {
  return Object.entries(PARAMETERS).flatMap(([key, name]) => {
    const value = attributes?.[key];
    if (value === undefined || value === null) return [];
    return [[name, Array.isArray(value) ? value.join(", ") : value] as [string, unknown]];
  });
}

function scopeOf(scope: Schemas["RawScope"] | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ name: scope?.name, version: scope?.version, ...scope?.attributes }).filter(([, value]) => value));
}
