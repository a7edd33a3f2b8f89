import type { Schemas } from "@/api/client";

/** The waterfall's logic: which rows are shown, where to jump, what is found. All by place in the outline's columns. */

export type Outline = Schemas["Outline"];
export type Columns = Outline["columns"];

/** The place behind the last descendant of each span: children of `at` are those between `at + 1` and `ends[at]`. */
export function endsOf(parent: readonly number[]): Int32Array {
  const ends = new Int32Array(parent.length);
  for (let at = parent.length - 1; at >= 0; at--) {
    ends[at] = Math.max(ends[at] ?? 0, at + 1);
    const above = parent[at] ?? -1;
    if (above >= 0) ends[above] = Math.max(ends[above] ?? 0, ends[at] ?? 0);
  }
  return ends;
}

export function depthsOf(parent: readonly number[]): Int32Array {
  const depths = new Int32Array(parent.length);
  for (let at = 0; at < parent.length; at++) {
    const above = parent[at] ?? -1;
    depths[at] = above < 0 ? 0 : (depths[above] ?? 0) + 1;
  }
  return depths;
}

/** The places that are shown, where those in `folded` hide what is inside them. */
export function visibleRows(ends: Int32Array, folded: ReadonlySet<number>): number[] {
  const rows: number[] = [];
  for (let at = 0; at < ends.length; at = folded.has(at) ? (ends[at] ?? at + 1) : at + 1) rows.push(at);
  return rows;
}

/** `folded` without what hides this place. */
export function unfoldedTo(parent: readonly number[], folded: ReadonlySet<number>, place: number): ReadonlySet<number> {
  let found: Set<number> | undefined;
  for (let at = parent[place] ?? -1; at >= 0; at = parent[at] ?? -1) {
    if (folded.has(at)) (found ??= new Set(folded)).delete(at);
  }
  return found ?? folded;
}

/** Every span that has children, but for the first: what is folded when all is. */
export function allFolded(ends: Int32Array): Set<number> {
  const found = new Set<number>();
  for (let at = 1; at < ends.length; at++) if ((ends[at] ?? 0) > at + 1) found.add(at);
  return found;
}

/** Places whose name, step, model or operation holds the text, in order. */
export function found(outline: Outline, wanted: string): number[] {
  const text = wanted.trim().toLowerCase();
  if (!text) return [];
  const { columns, words } = outline;
  const hits = new Set<number>();
  words.forEach((word, at) => { if (word.toLowerCase().includes(text)) hits.add(at); });
  const places: number[] = [];
  for (let at = 0; at < columns.name.length; at++) {
    const isHit = hits.has(columns.name[at] ?? -1) || hits.has(columns.step[at] ?? -1) || hits.has(columns.model[at] ?? -1) || hits.has(columns.operation[at] ?? -1);
    if (isHit || (text.length > 3 && columns.span_id[at]?.startsWith(text))) places.push(at);
  }
  return places;
}

/** The first place behind `from` that `wanted` holds, going round. */
export function nextOf(places: readonly number[], from: number): number | undefined {
  return places.find((place) => place > from) ?? places[0];
}

export function errorsOf(columns: Columns): number[] {
  const places: number[] = [];
  columns.error.forEach((failed, at) => { if (failed) places.push(at); });
  return places;
}

/** The span that takes most time beside its children. */
export function slowest(columns: Columns): number {
  return largest(columns.own_ns);
}

/** The span that costs most; -1 where none costs anything. */
export function dearest(columns: Columns): number {
  return columns.cost_usd.some((usd) => Number(usd) > 0) ? largest(columns.cost_usd.map(Number)) : -1;
}

function largest(values: readonly number[]): number {
  let best = -1;
  values.forEach((value, at) => { if (best < 0 || value > (values[best] ?? 0)) best = at; });
  return best;
}

/** The hue of each model, the one that takes most time first: -1 for spans that are no call of one. */
export function huesOf({ columns, words }: Outline): Int8Array {
  const time = new Map<number, number>();
  columns.model.forEach((model, at) => {
    if (model >= 0) time.set(model, (time.get(model) ?? 0) + (columns.duration_ns[at] ?? 0));
  });
  const ranked = [...time.keys()].sort((one, other) => (time.get(other) ?? 0) - (time.get(one) ?? 0));
  const hues = new Int8Array(words.length);
  ranked.forEach((model, rank) => { hues[model] = HUES[rank % HUES.length] ?? 0; });
  return Int8Array.from(columns.model, (model) => (model < 0 ? -1 : (hues[model] ?? 0)));
}
const HUES = [4, 2, 1, 3];

/** Round marks of a scale from 0 to `total`, about `wanted` of them. */
export function marks(total: number, wanted = 5): number[] {
  if (!(total > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(total / wanted));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => total / one <= wanted + 0.5) ?? 10 * power;
  const found: number[] = [];
  for (let at = 0; at <= total * 1.0001; at += step) found.push(at);
  return found;
}

/** Where the time goes, in a sentence. */
export function sentence(outline: Outline): string | undefined {
  const heavy = outline.heaviest;
  if (!heavy || heavy.time < 0.3) return undefined;
  const share = (rate: number) => (rate >= 0.995 && rate < 1 ? "over 99 %" : `${Math.round(rate * 100)} %`);
  const cost = heavy.cost ? ` and ${share(heavy.cost)} of the cost` : "";
  return `${share(heavy.time)} of the time${cost} ${cost ? "are" : "is"} in ${heavy.name}`;
}
