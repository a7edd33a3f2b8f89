import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { Bars, Lines } from "@/components/Charts";
import { Section } from "@/components/Section";
import { compact, counted, duration, money, percent } from "@/lib/format";
import { type Range, stepOf } from "@/lib/range";
import { mean, wilson } from "@/lib/statistics";
import { DAY, MINUTE, absolute, day, tick } from "@/lib/time";
import { router } from "@/router";

type Point = Schemas["Point"];
type Score = Schemas["Score"];

/** Spend, quality and speed over time. A point opens its traces. */
export function Trends({ range }: { range: Range }) {
  // where all that is there came at the end of the range, the charts begin with it: looked for in two steps
  const whole = useSeries({ from: range.startNs, to: range.endNs, step: range.stepNs });
  const near = useSeries(whole.late);
  const close = useSeries(near.late);
  const { data, from, to, step } = close.data ? close : near.data ? near : whole;
  const scores = useAsk("/api/v1/scores", { params: { query: { limit: 1000 } } }, { keep: true });
  const points = data?.points ?? [];
  const axis = { from, to, step, tick: (at: number) => tick(at, to - from) };
  const when = (at: number) => (step >= DAY ? day(at) : absolute(at));
  const href = (at: number, filter?: string[]) => router.buildLocation({ to: "/traces", search: { tab: filter ? "spans" : undefined, filter, range: `${new Date(at / 1e6).toISOString()}..${new Date((at + step) / 1e6).toISOString()}` } } as never).href;

  const spent = points.reduce((sum, { cost_usd }) => sum + Number(cost_usd), 0);
  const tokens = points.reduce((sum, point) => sum + point.input_tokens + point.output_tokens, 0);
  const timed = points.filter(({ duration_p95_ns }) => duration_p95_ns !== null);
  const quality = scored(scores.data ?? [], from, to, step);
  const latest = timed.at(-1);
  return (
    <div className="columns c3">
      {spent > 0 ? (
        <Section title={`${money(spent)} spent`} fine={step >= DAY ? "by day" : "over time"}>
          <Bars {...axis} name="Dollars spent over time" names={["spend"]} label={money} bars={points.filter(({ cost_usd }) => Number(cost_usd) > 0).map((point) => ({ at: point.start_ns, parts: [{ series: 0, value: Number(point.cost_usd) }], title: `${when(point.start_ns)}: ${money(point.cost_usd)}`, href: href(point.start_ns, ["cost_usd>0"]) }))} />
        </Section>
      ) : (
        <Section title={tokens > 0 ? `Nothing spent on ${compact(tokens)} tokens` : "Nothing spent"} fine={tokens > 0 ? "in and out, over time" : undefined}>
          <Bars {...axis} name="Tokens over time" names={["tokens"]} label={compact} bars={points.map((point) => ({ at: point.start_ns, parts: [{ series: 0, value: point.input_tokens + point.output_tokens }], title: `${when(point.start_ns)}: ${counted(point.input_tokens + point.output_tokens, "token")}`, href: href(point.start_ns) }))} />
        </Section>
      )}
      {quality ? (
        <Section title={quality.title} fine={quality.fine}>
          <Lines {...axis} name={quality.title} label={quality.label} lines={[{ name: quality.name, color: "var(--v1)", last: quality.last, points: quality.points.map((point) => ({ ...point, title: `${when(point.at)}: ${point.title}`, href: href(point.at) })) }]} />
        </Section>
      ) : (
        <Section title={errorTitle(points)} fine="of spans; band: 95 %">
          <Lines {...axis} name="Share of spans that failed" label={(value) => percent(value, 1)} lines={[{ name: "errors", color: "var(--v1)", last: percent(share(points), 1), points: points.filter(({ spans }) => spans > 0).map((point) => ({ at: point.start_ns, ...wilson(point.errors, point.spans), title: `${when(point.start_ns)}: ${point.errors} of ${counted(point.spans, "span")} failed`, href: href(point.start_ns, ["error=true"]) })) }]} />
        </Section>
      )}
      <Section title={latest ? `Half of spans within ${duration((latest.duration_p50_ns ?? 0) / 1e9)}` : "No times yet"} fine="median and p95">
        <Lines
          {...axis}
          name="Duration of spans, median and 95th percentile"
          label={(value) => (value === 0 ? "0" : duration(value))}
          lines={[
            { name: "p95", color: "var(--v0)", last: `p95 ${duration((latest?.duration_p95_ns ?? 0) / 1e9)}`, points: timed.map((point) => ({ at: point.start_ns, value: (point.duration_p95_ns ?? 0) / 1e9, title: `${when(point.start_ns)}: p95 ${duration((point.duration_p95_ns ?? 0) / 1e9)}`, href: href(point.start_ns) })) },
            { name: "p50", color: "var(--v1)", last: `p50 ${duration((latest?.duration_p50_ns ?? 0) / 1e9)}`, points: timed.map((point) => ({ at: point.start_ns, value: (point.duration_p50_ns ?? 0) / 1e9, title: `${when(point.start_ns)}: median ${duration((point.duration_p50_ns ?? 0) / 1e9)}`, href: href(point.start_ns) })) },
          ]}
        />
      </Section>
    </div>
  );
}

interface Stretch {
  from: number;
  to: number;
  step: number;
}

/** The series of a stretch, and the stretch from its first point on where that comes late in it. */
function useSeries(asked: Stretch | undefined): Stretch & { data?: Schemas["Series"]; late?: Stretch } {
  const { from, to, step } = asked ?? { from: 0, to: MINUTE, step: MINUTE };
  const { data } = useAsk("/api/v1/series", { params: { query: { start_ns: from, end_ns: to, step_ns: step } } }, { keep: true, every: 60_000, enabled: asked !== undefined });
  const first = asked && data?.points[0]?.start_ns;
  if (first === undefined || first - from < 0.7 * (to - from)) return { from, to, step, data: asked && data };
  const end = Math.min(to, Math.ceil((Date.now() * 1e6) / MINUTE) * MINUTE);
  const length = Math.max(end - first, 10 * MINUTE);
  return { from, to, step, data, late: { from: Math.floor((end - length) / MINUTE) * MINUTE, to: end, step: stepOf(length) } };
}

function share(points: readonly Point[]): number {
  const spans = points.reduce((sum, point) => sum + point.spans, 0);
  return spans ? points.reduce((sum, point) => sum + point.errors, 0) / spans : 0;
}

function errorTitle(points: readonly Point[]): string {
  return points.length ? `${percent(share(points), 1)} of spans failed` : "No errors";
}

/** The score that is given most, by step: rates for yes and no, means for numbers. */
function scored(scores: readonly Score[], from: number, to: number, step: number) {
  const names = new Map<string, Score[]>();
  for (const score of scores) {
    if (score.at_ns < from || score.at_ns >= to || typeof score.value === "string" || score.value === null) continue;
    const found = names.get(score.name);
    if (found) found.push(score);
    else names.set(score.name, [score]);
  }
  const [most] = [...names].sort((one, other) => other[1].length - one[1].length);
  if (!most || most[1].length < 3) return undefined;
  const [name, all] = most;
  const rates = all.every(({ value }) => typeof value === "boolean" || value === 0 || value === 1);
  const of = (some: readonly Score[]) => (rates ? wilson(some.filter(({ value }) => value === true || value === 1).length, some.length) : mean(some.map(({ value }) => Number(value))));
  const steps = new Map<number, Score[]>();
  for (const score of all) {
    const at = from + Math.floor((score.at_ns - from) / step) * step;
    const found = steps.get(at);
    if (found) found.push(score);
    else steps.set(at, [score]);
  }
  const label = (value: number) => (rates ? percent(value, 0) : value.toPrecision(2));
  const whole = of(all);
  return {
    name,
    title: `${label(whole.value)} ${name.replaceAll("_", " ")}`,
    fine: `n = ${all.length}${scores.length >= 1000 ? ", of the newest 1,000 scores" : ""}; band: 95 %`,
    label,
    last: label(whole.value),
    points: [...steps].sort((one, other) => one[0] - other[0]).map(([at, some]) => ({ at, ...of(some), title: `${label(of(some).value)} of ${counted(some.length, "score")}` })),
  };
}
