import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { asks, useAsk } from "@/api/query";
import { Mark, type State, Verdict } from "@/components/Mark";
import { Empty, Scroll, Section } from "@/components/Section";
import { Time } from "@/components/Values";
import { count, counted, duration, points, signedMoney } from "@/lib/format";
import type { Range } from "@/lib/range";
import { DAY, millis } from "@/lib/time";

interface Change {
  at: number;
  /** Of what is known by its day. */
  day?: string;
  what: ReactNode;
  cause: string;
  quality?: ReactNode;
  cost?: ReactNode;
  speed?: ReactNode;
  then?: ReactNode;
}

const SHOWN: Record<string, State> = { better: "good", worse: "bad", same: "open", unclear: "open" };

function Effect({ shown, children }: { shown: string; children: ReactNode }) {
  const state = SHOWN[shown] ?? "open";
  return <span className={`nw ${state}`}><Mark state={state} title={shown} /> {children}</span>;
}

/** Everything that changed, whoever changed it, beside what it did. */
export function Changes({ range }: { range: Range }) {
  const comparisons = useAsk("/api/v1/comparisons", { params: { query: { limit: 12 } } });
  const entries = comparisons.data?.items ?? [];
  const verdicts = useQueries({ queries: entries.slice(0, 8).map(({ id }) => ({ ...asks("/api/v1/comparisons/{id}", { params: { path: { id } } }), staleTime: Infinity, retry: false })) });
  // what was there within the month before the range did not come in it
  const query = { start_ns: Math.floor((range.startNs - 30 * DAY) / DAY) * DAY, end_ns: Math.ceil(range.endNs / DAY) * DAY, step_ns: DAY };
  const releases = useAsk("/api/v1/series", { params: { query: { ...query, by: "release" } } }, { keep: true });
  const models = useAsk("/api/v1/series", { params: { query: { ...query, by: "model" } } }, { keep: true });

  const changes: Change[] = [
    ...entries.map((entry, at) => compared(entry, verdicts[at]?.data)),
    ...arrived(releases.data?.points ?? [], range, "release", "us"),
    ...arrived(models.data?.points ?? [], range, "model", "us"),
  ].sort((one, other) => other.at - one.at);

  return (
    <Section title="What changed, and what it did" fine="Comparisons with their 95 % intervals; releases and models by the day on which they first came." tools={<Link to="/experiments" className="fine">all comparisons</Link>}>
      {changes.length === 0 ? (
        <Empty title="Comparisons, new releases and new models come here, each with what it did to quality, dollars and latency." />
      ) : (
        <Scroll name="What changed">
          <table className="tight">
            <thead><tr><th>when</th><th>what</th><th className="hide-s">cause</th><th className="num">quality</th><th className="num">$ per 1,000</th><th className="num">p50</th><th className="lead">then</th></tr></thead>
            <tbody>
              {changes.slice(0, 12).map(({ at, day, what, cause, quality, cost, speed, then }, row) => (
                <tr key={row}>
                  <td className="mut nw">{day ?? <Time at={at} />}</td><th scope="row" className="min-w-40">{what}</th><td className="ink2 hide-s">{cause}</td>
                  <td className="num">{quality}</td><td className="num">{cost}</td><td className="num">{speed}</td><td className="lead nw">{then}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Section>
  );
}

function compared(entry: Schemas["ComparisonEntry"], verdict: Schemas["Verdict"] | undefined): Change {
  const first = verdict?.comparisons.find(({ metric }) => metric === verdict.rule.metric) ?? verdict?.comparisons[0];
  const cost = verdict?.cost;
  const speed = verdict?.latency;
  const half = first && first.low !== null && first.high !== null ? ` ±${(((first.high - first.low) / 2) * 100).toFixed(1)}` : "";
  return {
    at: millis(entry.created_at) * 1e6,
    what: <Link to="/experiments/$id" params={{ id: entry.id }}>{entry.baseline.name} → {entry.candidate.name} on {entry.dataset}</Link>,
    cause: "us",
    quality: first && <Effect shown={first.shown}>{first.kind === "amount" ? first.difference.toPrecision(3) : points(first.difference)}{first.kind !== "amount" && half}</Effect>,
    cost: cost && <Effect shown={cost.shown}>{signedMoney(cost.difference_per_1k_usd)}</Effect>,
    speed: speed && <Effect shown={speed.p50_shown}>{speed.p50_difference_s > 0 ? "+" : ""}{duration(speed.p50_difference_s)}</Effect>,
    then: <><Verdict verdict={entry.verdict} />{verdict?.needs?.examples ? <span className="ink2">, about {count(upward(verdict.needs.examples))} more</span> : null}</>,
  };
}

/** With two significant digits, never fewer than are needed: as the headline says it. */
function upward(examples: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(examples)) - 1);
  return Math.ceil(examples / unit) * unit;
}

/** Values that came within the range, and not on the first day that has any. */
function arrived(found: readonly Schemas["Point"][], range: Range, field: string, cause: string): Change[] {
  const first = new Map<string, Schemas["Point"]>();
  const begin = Math.min(...found.map(({ start_ns }) => start_ns));
  for (const point of found) if (point.value && !first.has(point.value)) first.set(point.value, point);
  return [...first.values()]
    .filter(({ start_ns }) => start_ns > begin && start_ns >= range.startNs)
    .map((point) => ({
      at: point.start_ns,
      day: Date.now() * 1e6 < point.start_ns + DAY ? "today" : `${Math.floor((Date.now() * 1e6 - point.start_ns) / DAY)} d`,
      what: <Link to="/traces" search={{ filter: [`${field}=${point.value}`], tab: field === "model" ? "spans" : undefined }}>{field} {point.value} came</Link>,
      cause,
      then: <span className="ink2">{counted(point.spans, "span")} on its first day</span>,
    }));
}
