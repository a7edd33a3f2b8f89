import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { Bars, Lines } from "@/components/Charts";
import { Section } from "@/components/Section";
import { compact, counted, duration, money, percent } from "@/lib/format";
import { type Range, stepOf } from "@/lib/range";
import { mean, wilson } from "@/lib/statistics";
import { DAY, HOUR, MINUTE, absolute, day, tick } from "@/lib/time";
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
  const href = (at: number, filter?: string[], length = step) => router.buildLocation({ to: "/traces", search: { tab: filter ? "spans" : undefined, filter, range: `${new Date(at / 1e6).toISOString()}..${new Date((at + length) / 1e6).toISOString()}` } } as never).href;

  const spent = points.reduce((sum, { cost_usd }) => sum + Number(cost_usd), 0);
  const tokens = points.reduce((sum, point) => sum + point.input_tokens + point.output_tokens, 0);
  const speed = useSpeed(data && { from, to, step });
  const quality = scored(scores.data ?? [], from, to, step);
  return (
    <div className="columns c3">
      {spent > 0 ? (
        <Section title={`${money(spent)} spent`} fine={by(step)}>
          <Bars {...axis} name="Dollars spent over time" names={["spend"]} label={money} bars={points.filter(({ cost_usd }) => Number(cost_usd) > 0).map((point) => ({ at: point.start_ns, parts: [{ series: 0, value: Number(point.cost_usd) }], title: `${when(point.start_ns)}: ${money(point.cost_usd)}`, href: href(point.start_ns, ["cost_usd>0"]) }))} />
        </Section>
      ) : (
        <Section title={tokens > 0 ? `Nothing spent on ${compact(tokens)} tokens` : "Nothing spent"} fine={tokens > 0 ? `in and out, ${by(step)}` : undefined}>
          <Bars {...axis} name="Tokens over time" names={["tokens"]} label={compact} bars={points.map((point) => ({ at: point.start_ns, parts: [{ series: 0, value: point.input_tokens + point.output_tokens }], title: `${when(point.start_ns)}: ${counted(point.input_tokens + point.output_tokens, "token")}`, href: href(point.start_ns) }))} />
        </Section>
      )}
      {quality ? (
        <Section title={quality.title} fine={quality.fine}>
          <Lines {...axis} step={quality.wide} name={quality.title} label={quality.label} lines={[{ name: quality.name, color: "var(--v1)", last: quality.last, points: quality.points.map((point) => ({ ...point, title: `${when(point.at)}: ${point.title}`, href: href(point.at, undefined, quality.wide) })) }]} />
        </Section>
      ) : (
        <Section title={errorTitle(points)} fine="of spans; band: 95 %">
          <Lines {...axis} name="Share of spans that failed" label={(value) => percent(value, 1)} lines={[{ name: "errors", color: "var(--v1)", last: percent(share(points), 1), points: points.filter(({ spans }) => spans > 0).map((point) => ({ at: point.start_ns, ...wilson(point.errors, point.spans), title: `${when(point.start_ns)}: ${point.errors} of ${counted(point.spans, "span")} failed`, href: href(point.start_ns, ["error=true"]) })) }]} />
        </Section>
      )}
      <Section title={speed.half ? `Half of traces within ${duration(speed.half)}` : "No times yet"} fine={speed.half ? `median and p95, ${by(speed.step)}` : undefined}>
        <Lines
          {...axis}
          step={speed.step}
          name="Duration of traces, median and 95th percentile"
          label={(value) => (value === 0 ? "0" : duration(value))}
          lines={(["p95", "p50"] as const).map((name, at) => ({
            name,
            color: `var(--v${at})`,
            last: speed.half ? `${name} ${duration((name === "p50" ? speed.half : speed.slow) ?? 0)}` : undefined,
            points: speed.points.map((point) => ({ at: point.at, value: point[name], title: `${when(point.at)}: ${name} ${duration(point[name])} of ${counted(point.traces, "trace")}`, href: href(point.at, undefined, speed.step) })),
          }))}
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

/** `by 6 hours`: how far apart the points of a chart are. */
function by(step: number): string {
  for (const [unit, size] of [["day", DAY], ["hour", HOUR], ["minute", MINUTE]] as const) {
    if (step >= size) return step === size ? `by ${unit}` : `by ${Math.round(step / size)} ${unit}s`;
  }
  return "over time";
}

/** How long whole traces took, in seconds: of all in the stretch, and by minute, hour or day. */
function useSpeed(asked: Stretch | undefined) {
  const { from, to } = asked ?? { from: 0, to: MINUTE };
  const [unit, step] = to - from <= 3 * HOUR ? (["minute", MINUTE] as const) : to - from <= 2 * DAY ? (["hour", HOUR] as const) : (["day", DAY] as const);
  const query = { measure: ["count", "p50(duration_ns)", "p95(duration_ns)"], filter: ["entry=true", `start_ns>=${from}`, `start_ns<${to}`], limit: 1000 };
  const enabled = asked !== undefined;
  const { data } = useAsk("/api/v1/aggregate", { params: { query: { ...query, by: [unit] } } }, { keep: true, every: 60_000, enabled });
  const { data: all } = useAsk("/api/v1/aggregate", { params: { query } }, { keep: true, every: 60_000, enabled });
  const seconds = (value: unknown) => (value === null || value === undefined ? undefined : Number(value) / 1e9);
  const points = (data ?? []).flatMap(({ keys, values: [traces, p50, p95] }) => {
    const [half, slow] = [seconds(p50), seconds(p95)];
    return half === undefined || slow === undefined ? [] : [{ at: Number(keys[0]), traces: Number(traces), p50: half, p95: slow }];
  });
  return { points: points.sort((one, other) => one.at - other.at), half: seconds(all?.[0]?.values[1]), slow: seconds(all?.[0]?.values[2]), step };
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
  // a rate of two or three says nothing: at most a point for every ten scores
  const [first, final] = [Math.min(...all.map(({ at_ns }) => at_ns)), Math.max(...all.map(({ at_ns }) => at_ns))];
  const wide = step * Math.max(1, Math.ceil((10 * (final - first)) / step / all.length));
  const steps = new Map<number, Score[]>();
  for (const score of all) {
    const at = from + Math.floor((score.at_ns - from) / wide) * wide;
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
    wide,
    last: label(whole.value),
    points: [...steps].sort((one, other) => one[0] - other[0]).map(([at, some]) => ({ at, ...of(some), title: `${label(of(some).value)} of ${counted(some.length, "score")}` })),
  };
}
