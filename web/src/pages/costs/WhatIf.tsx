import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useDeferredValue, useState } from "react";
import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { Verdict } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Scroll, Section, Waiting } from "@/components/Section";
import { compact, counted, money, signedMoney } from "@/lib/format";
import type { Range } from "@/lib/range";
import { DAY, relative } from "@/lib/time";
import { costs } from "./routes";
import { filterOf, useSpend } from "./spend";

const MONTH = 30 * DAY;

/** The same tokens on other models, or at the prices of another day. A price says nothing of quality, so that each row
 *  has its verdict beside it, or says that there is none. */
export function WhatIf({ range }: { range: Range }) {
  const search = costs.useSearch();
  const navigate = useNavigate({ from: "/costs" });
  const steps = useSpend(range, "step");
  // models that write: what only embeds takes over from nobody
  const own = useAsk("/api/v1/cost/what-if", { params: { query: { start_ns: range.startNs, end_ns: range.endNs } } }, { keep: true });
  const used = (own.data?.rows ?? [])
    .filter(({ output_tokens, then, model }) => model !== null && output_tokens > 0 && Number(then[0]?.usd ?? 0) > 0)
    .sort((one, other) => Number(other.cost_usd) - Number(one.cost_usd))
    .map(({ provider, model }) => (provider ? `${provider}/${model}` : String(model)));
  const named = (steps.rows ?? []).filter(({ value, usd }) => value !== null && usd > 0);
  const step = search.step;
  const others = [...new Set([...used.slice(0, 4), ...(search.with ?? [])])];
  const filter = step ? [filterOf("step", step)] : [];
  const asked = useAsk("/api/v1/cost/what-if", { params: { query: { start_ns: range.startNs, end_ns: range.endNs, filter, model: ["own", ...others], at: search.at } } }, { keep: true, enabled: own.data !== undefined });
  const verdicts = useAsk("/api/v1/comparisons", { params: { query: { limit: 200 } } });
  const change = (next: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });

  const found = asked.data;
  const scale = MONTH / (range.endNs - range.startNs);
  const tokens = found?.rows.reduce((sum, row) => ({ input: sum.input + row.input_tokens, output: sum.output + row.output_tokens, calls: sum.calls + row.calls, unpriced: sum.unpriced + row.unpriced }), { input: 0, output: 0, calls: 0, unpriced: 0 });
  const current = new Set(found?.rows.map(({ model }) => model));
  const spent = found ? Number(found.cost_usd) * scale : 0;

  return (
    <Section
      title={step ? `What if another model took over ${step}?` : "What if one model took over everything?"}
      fine={tokens && <>The tokens of the {range.label}, scaled to 30 days: {compact(tokens.input * scale)} in, {compact(tokens.output * scale)} out. A price says nothing of quality, so each row has its verdict, or says that there is none.</>}
      tools={
        <span className="flex flex-wrap items-center gap-2 text-fine text-ink-3">
          <label className="flex items-center gap-1">step
            <select value={step ?? ""} onChange={(event) => change({ step: event.target.value || undefined })}>
              <option value="">all</option>
              {named.map(({ value }) => <option key={value}>{value}</option>)}
            </select>
          </label>
          <label className="flex items-center gap-1">prices of
            <select value={search.at ? "one" : "own"} onChange={(event) => change({ at: event.target.value === "one" ? new Date().toISOString().slice(0, 10) : undefined })}>
              <option value="own">the day of each call</option>
              <option value="one">one day</option>
            </select>
          </label>
          {search.at && <input type="date" aria-label="Prices of" value={search.at} onChange={(event) => change({ at: event.target.value || undefined })} />}
        </span>
      }
    >
      {asked.error ? <ProblemNote error={asked.error} retry={asked.refetch} /> : !found ? <Waiting /> : (
        <Scroll name="What other models would cost">
          <table className="mid">
            <thead><tr><th>{step ?? "everything"} on</th><th className="num">$ per M in / out</th><th className="num">30 days</th><th className="num">change</th><th className="lead">verdict on quality</th><td className="hide-s" /></tr></thead>
            <tbody>
              {found.asked.map((one, at) => {
                const usd = found.totals[at];
                const own = one.model === null;
                // what has no price of its own is told below, and is in no sum
                const cost = usd !== null && usd !== undefined ? Number(usd) * scale : own && !search.at ? spent : undefined;
                const alone = current.size === 1 && bare([...current][0] ?? null) === bare(one.model);
                return (
                  <tr key={one.name} aria-current={own || alone ? "true" : undefined}>
                    <th scope="row">{own ? (search.at ? `as it is, at the prices of ${search.at}` : "as it is") : one.name}{search.with?.includes(one.name) && <button type="button" className="bare h-5 px-1 text-ink-3" aria-label={`Leave out ${one.name}`} onClick={() => change({ with: search.with?.filter((other) => other !== one.name) })}>✕</button>}</th>
                    <td className="num">{own ? "" : rates(found.rows, at)}</td>
                    <td className="num"><b>{cost === undefined ? <span className="mut font-normal">no price</span> : money(cost)}</b></td>
                    <td className="num">{cost === undefined || (own && !search.at) ? "" : signedMoney(round(cost - spent))}</td>
                    <Judged entries={verdicts.data?.items ?? []} from={found.rows.map(({ model }) => model)} model={one.model} same={own || alone} />
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
      {others.length === 0 && <p className="fine mt-2">Name a model that has a price, and its row says what these tokens would cost on it.</p>}
      <AddModel known={others} add={(model) => change({ with: [...(search.with ?? []), model] })} />
      {tokens && tokens.unpriced > 0 && <p className="fine mt-1">{counted(tokens.unpriced, "call")} without a price of {tokens.unpriced === 1 ? "its" : "their"} own {tokens.unpriced === 1 ? "is" : "are"} in the rows of models, and not in “as it is”.</p>}
    </Section>
  );
}

const bare = (name: string | null) => name?.split("/").at(-1);

const round = (usd: number) => (Math.abs(usd) < 0.005 ? 0 : usd);

/** `1.1 / 4.4`: what a million of tokens costs, where all calls are priced alike. */
function rates(rows: readonly Schemas["Mix"][], at: number): string {
  const of = (kind: string) => {
    const found = new Set(rows.flatMap(({ then }) => then[at]?.parts.filter((part) => part.kind === kind && part.above === null).map(({ usd_per_unit, per }) => (Number(usd_per_unit) * 1e6) / per) ?? []));
    return found.size === 1 ? String(Number([...found][0]?.toPrecision(6))) : undefined;
  };
  const [input, output] = [of("input"), of("output")];
  return input === undefined ? "" : output === undefined ? input : `${input} / ${output}`;
}

function Judged({ entries, from, model, same }: { entries: readonly Schemas["ComparisonEntry"][]; from: readonly (string | null)[]; model: string | null; same: boolean }) {
  if (same || model === null) return <><td className="lead ink2">in use</td><td className="hide-s" /></>;
  const found = entries.find(({ baseline, candidate }) => bare(candidate.model) === bare(model) && from.some((one) => bare(one) === bare(baseline.model)));
  if (!found) return <><td className="lead"><Verdict verdict={null} /></td><td className="ink2 hide-s">A spec with these two as variants decides it.</td></>;
  return (
    <>
      <td className="lead"><Verdict verdict={found.verdict} /></td>
      <td className="ink2 hide-s"><Link to="/experiments/$id" params={{ id: found.id }}>{found.candidate.name} against {found.baseline.name}</Link>, n = {found.examples}, {relative(found.created_at)}</td>
    </>
  );
}

function AddModel({ known, add }: { known: readonly string[]; add: (model: string) => void }) {
  const [text, setText] = useState("");
  const asked = useDeferredValue(text.trim());
  const { data } = useAsk("/api/v1/prices", { params: { query: { text: asked, limit: 20 } } }, { enabled: asked.length > 1, keep: true });
  const names = [...new Set(data?.items.map(({ provider, model }) => (provider ? `${provider}/${model}` : model)))].filter((name) => !known.includes(name));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = text.trim();
    if (!chosen || known.includes(chosen)) return;
    add(chosen);
    setText("");
  };
  return (
    <form className="mt-2 flex items-center gap-2" onSubmit={submit}>
      <input list="priced-models" aria-label="Another model" placeholder="another model" className="w-64" value={text} onChange={(event) => setText(event.target.value)} />
      <datalist id="priced-models">{names.map((name) => <option key={name} value={name} />)}</datalist>
      <button type="submit" disabled={!text.trim()}>Add</button>
    </form>
  );
}
