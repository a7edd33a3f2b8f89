import type { Schemas } from "@/api/client";

export type Estimates = Schemas["Estimates"];
export type Kind = "superiority" | "noninferiority" | "value";
export type Decision = Schemas["Check"]["outcome"];

/** Net benefit in dollars per 1,000 examples where a success is worth `v`: estimate, low and high. As
 *  `boxscore.experiments.verdict.NetBenefit.at`. */
export function benefitAt({ successes, gain, dearer, square, cross, constant, t }: Schemas["NetBenefit"], v: number): [number, number, number] {
  const middle = v * gain - dearer;
  const half = t * Math.sqrt(Math.max(0, square * v * v + cross * v + constant));
  return [1000 * (v * successes - dearer), 1000 * (middle - half), 1000 * (middle + half)];
}

/** What the same estimates would have decided under another rule, margin or price of a success. As
 *  `boxscore.experiments.what_if.would`; both are tested on `decide.cases.json`. */
export function would(found: Estimates, kind: Kind, setting: number): Decision {
  if (found.held.some(({ role }) => role === "units")) return "undecided";
  const held = found.held.map(({ outcome }) => outcome);
  const own = ownOutcomes(found, kind, setting);
  if (own === undefined) return "undecided";
  const [first, saving] = own;
  // a saving that cannot be rejects only what is otherwise not worse
  if (first === "reject" || held.includes("reject") || (saving === "reject" && first === "ship")) return "reject";
  return [first, saving ?? "ship", ...held].every((outcome) => outcome === "ship") ? "ship" : "undecided";
}

/** What the rule itself asks: the primary condition, and for noninferiority the saving. */
export function ownOutcomes(found: Estimates, kind: Kind, setting: number): [Decision, Decision?] | undefined {
  if (kind === "value") {
    if (!found.benefit) return undefined;
    const [, low, high] = benefitAt(found.benefit, setting);
    return [above(low, high, 0)];
  }
  const low = found.low ?? -Infinity;
  const high = found.high ?? Infinity;
  if (kind === "superiority") return [above(low, high, setting)];
  return [above(low, high, -setting), found.saving];
}

function above(low: number, high: number, threshold: number): Decision {
  return low > threshold ? "ship" : high < threshold ? "reject" : "undecided";
}

export interface Part {
  from: number;
  to: number;
  decision: Decision;
}

/** A track cut where its verdict changes; neighbours that decide alike are one. */
export function parts(found: Estimates, { kind, end, breaks }: Pick<Schemas["SettingTrack"], "kind" | "end" | "breaks">): Part[] {
  const cut: Part[] = [];
  const ends = [0, ...breaks, end];
  for (let at = 0; at + 1 < ends.length; at++) {
    const [from, to] = [ends[at]!, ends[at + 1]!];
    if (!(to > from)) continue;
    const decision = would(found, kind as Kind, (from + to) / 2);
    const last = cut.at(-1);
    if (last?.decision === decision) last.to = to;
    else cut.push({ from, to, decision });
  }
  return cut;
}

/** A number of a track as it is shown: `2.0 points`, `$1.20`, `3.9 cents`. */
export function shown({ factor, decimals, before, after }: Pick<Schemas["SettingTrack"], "factor" | "decimals" | "before" | "after">, value: number, bare = false): string {
  const size = Math.abs(value * factor);
  const text = size.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const signed = value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
  return bare ? signed : `${before}${signed}${after}`;
}
