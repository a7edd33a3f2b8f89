import { DAY, HOUR, MINUTE, day } from "./time";

/** A stretch of time, as an address has it: `1h`, `24h`, `7d`, `30d`, `90d`, `all`, or `FROM..TO` in ISO dates. */
export interface Range {
  name: string;
  label: string;
  startNs: number;
  endNs: number;
  /** How far apart the points of a chart over it are. */
  stepNs: number;
}

export const RANGES = ["1h", "24h", "7d", "30d", "90d"] as const;
const USUAL = "7d";
const LENGTHS: Record<string, number> = { "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY };
const LABELS: Record<string, string> = { "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days", "90d": "last 90 days" };
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY];

/** The range of that name at that time. Its end is the whole minute or, from a day on, the whole hour to come: answers
 *  can be kept for a while, and are summed from whole hours. */
export function range(name: string | undefined, now = Date.now()): Range {
  const chosen = name ?? USUAL;
  const length = LENGTHS[chosen];
  const whole = length !== undefined && length >= DAY ? HOUR : MINUTE;
  const endNs = Math.ceil((now * 1e6) / whole) * whole;
  if (length !== undefined) {
    return { name: chosen, label: LABELS[chosen] ?? chosen, startNs: endNs - length, endNs, stepNs: stepOf(length) };
  }
  const [from, to] = chosen.split("..").map((part) => Date.parse(part) * 1e6);
  if (from !== undefined && to !== undefined && from < to) {
    return { name: chosen, label: `${day(from)} to ${day(to - 1)}`, startNs: from, endNs: to, stepNs: stepOf(to - from) };
  }
  return range(USUAL, now);
}

/** A step that gives at most some sixty points. */
export function stepOf(lengthNs: number): number {
  return STEPS.find((step) => lengthNs / step <= 62) ?? 30 * DAY;
}

/** The conditions that hold within the range, for questions that take filters. */
export function during(found: Range): string[] {
  return [`start_ns>=${found.startNs}`, `start_ns<${found.endNs}`];
}

/** `in the last 7 days`, `from 1 Jun 2025 to 20 Jun 2025`: the range in a sentence. */
export function inTime(label: string): string {
  return label.startsWith("last ") ? `in the ${label}` : `from ${label}`;
}
