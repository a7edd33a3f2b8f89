import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useAsk } from "@/api/query";
import { Progress } from "@/components/Charts";
import { Mark, type State } from "@/components/Mark";
import { Answer, Section } from "@/components/Section";
import { Money, Time, useNow } from "@/components/Values";
import { Twin } from "@/components/Twin";
import { useRange } from "@/frame/range";
import { count, counted, duration, money, percent } from "@/lib/format";
import { during, inTime } from "@/lib/range";
import { wilson } from "@/lib/statistics";
import { HOUR, MINUTE } from "@/lib/time";
import { Changes } from "./Changes";
import { Trends } from "./Trends";

interface Todo {
  key: string;
  state: State;
  text: ReactNode;
  fine: ReactNode;
  action: ReactNode;
}

const ENTRIES = ["entry=true"];

export function Overview() {
  const range = useRange();
  const now = Math.ceil((useNow() * 1e6) / MINUTE) * MINUTE;
  const before = { ...range, startNs: range.startNs - (range.endNs - range.startNs), endNs: range.startNs };
  const totals = useAsk("/api/v1/counts", { params: { query: { filter: during(range) } } }, { keep: true, every: 60_000 });
  const entries = useAsk("/api/v1/counts", { params: { query: { filter: [...during(range), ...ENTRIES] } } }, { keep: true, every: 60_000 });
  const past = useAsk("/api/v1/counts", { params: { query: { filter: during(before) } } }, { keep: true });
  const calls = useAsk("/api/v1/cost/what-if", { params: { query: { start_ns: range.startNs, end_ns: range.endNs } } }, { keep: true });
  const hour = useAsk("/api/v1/counts", { params: { query: { filter: [`start_ns>=${now - HOUR}`, ...ENTRIES] } } }, { keep: true, every: 10_000 });
  const undecided = useAsk("/api/v1/comparisons", { params: { query: { limit: 50 } } }, { every: 15_000 });
  const runs = useAsk("/api/v1/runs", { params: { query: { unfinished: true, limit: 20 } } }, { every: 2_000 });
  const health = useAsk("/api/v1/health", undefined, { every: 15_000 });

  const todos: Todo[] = [];
  for (const [at, problem] of (health.data?.problems ?? []).entries()) {
    todos.push({ key: `problem ${at}`, state: "bad", text: <><b>Server:</b> {problem}</>, fine: "Spans are not taken in until this is over; senders keep theirs and send again.", action: <Link className="btn" to="/settings">Look</Link> });
  }
  // the newest verdict of each pair counts: one that was decided since waits for nobody
  const seen = new Set<string>();
  for (const entry of undecided.data?.items ?? []) {
    const pair = `${entry.dataset} ${entry.baseline.name} ${entry.candidate.name}`;
    if (seen.has(pair)) continue;
    seen.add(pair);
    if (entry.verdict !== "undecided" || todos.length > 6) continue;
    todos.push({
      key: entry.id,
      state: "open",
      text: <><b>Undecided:</b> {entry.said.map(({ text }) => text).join("")}</>,
      fine: <>{entry.baseline.name} → {entry.candidate.name} · {counted(entry.examples, "example")} of {entry.dataset} · <Time at={entry.created_at} ago /></>,
      action: <Link className="btn" to="/experiments/$id" params={{ id: entry.id }}>See what would decide it</Link>,
    });
  }
  for (const run of runs.data?.items ?? []) {
    if (run.state !== "stopped") continue;
    todos.push({
      key: run.id,
      state: "none",
      text: <><b>Stopped:</b> {run.variant.name} on {run.dataset}, {run.counts.trials} of {counted(run.counts.asked, "trial")}</>,
      fine: <>started <Time at={run.started_at} /> ago · {money(run.counts.spent_usd)} spent · what was paid is kept, and the next run of the same spec goes on from it</>,
      action: <Link className="btn" to="/runs/$id" params={{ id: run.id }}>Look</Link>,
    });
  }
  const mixes = calls.data?.rows ?? [];
  const all = mixes.reduce((sum, mix) => sum + mix.calls, 0);
  const unpriced = mixes.reduce((sum, mix) => sum + mix.unpriced, 0);
  if (unpriced > 0) {
    todos.push({
      key: "unpriced",
      state: "none",
      text: <><b>No price:</b> {count(unpriced)} of {counted(all, "call")} {inTime(range.label)}</>,
      fine: "They are in no sum of dollars until the price book knows their model.",
      action: <Link className="btn" to="/costs">See which</Link>,
    });
  }

  const spent = Number(totals.data?.cost_usd ?? 0);
  const spentBefore = Number(past.data?.cost_usd ?? 0);
  const traces = entries.data?.spans ?? 0;
  const failed = entries.data?.errors ?? 0;
  const rate = wilson(failed, traces);
  const running = (runs.data?.items ?? []).filter(({ state }) => state === "running");
  const lastHour = hour.data && wilson(hour.data.errors, hour.data.spans);

  return (
    <>
      <Answer>
        {traces === 0 ? <>No trace came {inTime(range.label)}</> : <><b>{counted(traces, "trace")}</b> {inTime(range.label)}, {failed === 0 ? <b>none</b> : <b>{percent(rate.value, 1)}</b>} failed ({failed === 0 ? "0" : percent(rate.low, 1).replace(" %", "")} to {percent(rate.high, 1)})</>}
        {spent > 0 && <>, <b>{money(spent)}</b> spent{spentBefore > 0 && Math.abs(spent / spentBefore - 1) >= 0.05 && <> instead of {money(spentBefore)}</>}</>}
        {todos.length > 0 ? <>, and <b>{todos.length === 1 ? "one thing needs" : `${words(todos.length)} things need`}</b> you.</> : ". Nothing needs you."}
      </Answer>
      <div className="columns c75">
        <Section title="Needs you" className="mt-4!">
          {todos.length === 0 && <p className="py-2 text-data ink2">Nothing. Undecided verdicts, stopped runs and calls without a price come here.</p>}
          {todos.map(({ key, state, text, fine, action }) => (
            <div key={key} className="todo"><Mark state={state} /><p className="min-w-0">{text}</p><p className="fine">{fine}</p>{action}</div>
          ))}
        </Section>
        <Section title="Running now" className="mt-4!">
          {running.length > 0 ? (
            <table className="mid">
              <tbody>
                {running.map((run) => (
                  <tr key={run.id}>
                    <th scope="row" className="clip"><Link to="/runs/$id" params={{ id: run.id }} title={`${run.variant.name} on ${run.dataset}`}>{run.dataset}, {run.variant.name}</Link></th>
                    <td><Progress of={run.counts.asked ? run.counts.trials / run.counts.asked : 0} name={`Progress of ${run.variant.name}`} /></td>
                    <td className="num">{run.counts.trials} of {run.counts.asked}</td>
                    <td className="num mut"><Money usd={run.counts.spent_usd} />{run.left_s !== null && <>, {duration(run.left_s)} left</>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p className="py-2 text-data ink2">No run. <code>boxscore compare boxscore.yaml</code> starts one, and so does <Link to="/experiments">Experiments</Link>.</p>
          )}
          {hour.data && (
            <p className="fine mt-2">
              Last hour: <Link to="/traces" search={{ range: "1h" }}>{counted(hour.data.spans, "trace")}</Link>
              {hour.data.spans > 0 && lastHour && <>, <Link to="/traces" search={{ range: "1h", filter: ["error=true"] }}>{counted(hour.data.errors, "error")}</Link>{hour.data.errors > 0 && `, ${percent(lastHour.value, 1)}`} ({hour.data.errors > 0 ? percent(lastHour.low, 1).replace(" %", "") : "0"} to {percent(lastHour.high, 1)})</>}
            </p>
          )}
        </Section>
      </div>
      <Trends range={range} />
      <Changes range={range} />
      <Twin path="/api/v1/counts" query={{ filter: during(range) }} />
    </>
  );
}

function words(value: number): string {
  return ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][value] ?? String(value);
}
