/** Filters as people write them: `model=gpt-5 took>=2s cost>0.01 "words in the text"`. In the address, and to the API,
 *  a condition has the store's own form, as in `duration_ns>=2s`; this page only adds short names for it. */

import { count } from "@/lib/format";

const OPERATORS = ["=", "!=", "<=", ">=", "<", ">"] as const;
export type Operator = (typeof OPERATORS)[number];
export type Kind = "text" | "number" | "duration" | "money" | "flag" | "score";

export interface Field {
  name: string;
  kind: Kind;
  /** What the page calls it, and what may be written for it. */
  label: string;
  hint: string;
  /** Whether its values can be asked for. */
  facet?: boolean;
}

const text = (name: string, hint: string, label = name.replaceAll("_", " ")): Field => ({ name, kind: "text", label, hint, facet: true });

const FIELDS: readonly Field[] = [
  text("name", "what the span is called"),
  text("step", "its place in the chain"),
  text("model", "the model that answered"),
  text("provider", "who served it"),
  text("operation", "chat, embeddings, execute_tool, invoke_agent …"),
  text("prompt", "the prompt's name"),
  text("prompt_version", "its version", "prompt version"),
  text("variant", "the variant's name"),
  text("application", "service.name of the sender"),
  text("environment", "deployment.environment"),
  text("release", "service.version"),
  text("session", "the conversation"),
  text("user", "who asked"),
  text("model_asked", "the model that was asked for", "model asked"),
  text("fingerprint", "what the provider says it runs"),
  text("graph", "the chain's shape"),
  text("price", "the price row of its cost"),
  { name: "error", kind: "flag", label: "error", hint: "true or false" },
  { name: "entry", kind: "flag", label: "entry", hint: "true: where a trace begins" },
  { name: "duration_ns", kind: "duration", label: "took", hint: "as in 350ms or 2s" },
  { name: "first_token_ns", kind: "duration", label: "first token", hint: "as in 350ms or 2s" },
  { name: "cost_usd", kind: "money", label: "cost", hint: "dollars, as in 0.01" },
  { name: "input_tokens", kind: "number", label: "tokens in", hint: "a whole number" },
  { name: "output_tokens", kind: "number", label: "tokens out", hint: "a whole number" },
  { name: "cached_tokens", kind: "number", label: "cached tokens", hint: "a whole number" },
  { name: "reasoning_tokens", kind: "number", label: "reasoning tokens", hint: "a whole number" },
];

const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));
const SHORT: Record<string, string> = {
  took: "duration_ns", latency: "duration_ns", duration: "duration_ns", ttft: "first_token_ns", "first-token": "first_token_ns",
  cost: "cost_usd", usd: "cost_usd", in: "input_tokens", out: "output_tokens", cached: "cached_tokens", reasoning: "reasoning_tokens",
  app: "application", env: "environment", version: "prompt_version",
};
const NANOSECONDS: Record<string, number> = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9 };

export interface Condition {
  field: string;
  operator: Operator;
  value: string;
}

/** The field of that name, or short name; metadata.KEY and score.NAME are fields too. */
export function fieldOf(name: string): Field | undefined {
  const found = BY_NAME.get(SHORT[name] ?? name);
  if (found) return found;
  if (/^metadata\../.test(name)) return { name, kind: "text", label: name.slice(9), hint: "an attribute of the application's own" };
  if (/^score\../.test(name)) return { name, kind: "score", label: name.slice(6), hint: "a number, true, false or a category" };
  return undefined;
}

/** A condition in the store's form, undefined where it is none. */
export function parseCondition(written: string): Condition | undefined {
  const found = /^([^=!<>\s]+)\s*(!=|<=|>=|=|<|>)([\s\S]*)$/.exec(written.trim());
  if (!found) return undefined;
  const field = fieldOf(found[1] ?? "");
  return field && { field: field.name, operator: found[2] as Operator, value: (found[3] ?? "").trim() };
}

export function writeCondition({ field, operator, value }: Condition): string {
  return `${field}${operator}${value}`;
}

export interface Reading {
  conditions: string[];
  /** Words and "quoted phrases" to search for. */
  words: string[];
  /** What was not understood, and why. */
  problem?: string;
}

/** What somebody typed. `field:value` means `field=value`, `field:>1` and `field:1..2` their comparisons; what is no
 *  condition is a word to search for. */
export function readFilter(typed: string): Reading {
  const reading: Reading = { conditions: [], words: [] };
  for (const token of tokens(typed)) {
    if (token.startsWith('"')) {
      reading.words.push(token.length > 1 && token.endsWith('"') ? token : `${token}"`);
      continue;
    }
    const split = /^([^=!<>:"]+)(:?)(!=|<=|>=|=|<|>)?([\s\S]*)$/.exec(token);
    const [, name = "", colon, sign, rest = ""] = split ?? [];
    if (!colon && !sign) {
      reading.words.push(token);
      continue;
    }
    const field = fieldOf(name);
    if (!field) {
      if (colon && !sign) reading.words.push(`"${token}"`); // as in http://… or 10:42
      else reading.problem ??= `${name} is no field: ${closest(name)}`;
      continue;
    }
    const value = unquoted(rest);
    const range = !sign && field.kind !== "text" ? /^(\S*?)\.\.(\S*)$/.exec(value) : null;
    const parts: [Operator, string][] = range
      ? [...(range[1] ? [[">=", range[1]] as [Operator, string]] : []), ...(range[2] ? [["<", range[2]] as [Operator, string]] : [])]
      : [[(sign ?? "=") as Operator, value]];
    for (const [operator, one] of parts) {
      const wrong = problemOf(field, operator, one);
      if (wrong) reading.problem ??= wrong;
      else reading.conditions.push(writeCondition({ field: field.name, operator, value: one }));
    }
  }
  return reading;
}

function tokens(typed: string): string[] {
  return typed.match(/[^\s"]*"[^"]*"?|[^\s"]+/g) ?? [];
}

function unquoted(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1) : value.replace(/^"/, "");
}

function problemOf(field: Field, operator: Operator, value: string): string | undefined {
  if (operator !== "=" && operator !== "!=" && (field.kind === "text" || field.kind === "flag")) return `${field.label} is asked with = or !=`;
  if (value === "" || field.kind === "text" || field.kind === "score") return undefined;
  if (field.kind === "flag" && !/^(true|false)$/i.test(value)) return `${field.label} is true or false`;
  if (field.kind === "duration" && !/^\d+(\.\d+)?(ns|us|µs|ms|s|min|h)?$/.test(value)) return `${field.label} takes a time, as in 350ms or 2s`;
  if (field.kind === "money" && !/^-?\d*\.?\d+$/.test(value)) return `${field.label} takes dollars, as in 0.01`;
  if (field.kind === "number" && !/^\d+$/.test(value)) return `${field.label} takes a whole number`;
  return undefined;
}

function closest(name: string): string {
  const near = FIELDS.filter((field) => field.name.startsWith(name.slice(0, 2))).map((field) => field.name);
  return `there are ${(near.length ? near : ["model", "step", "user", "error", "took", "cost"]).slice(0, 4).join(", ")}, metadata.KEY and score.NAME`;
}

/** A condition as its chip says it: `took ≥ 4 s`. */
export function chip(written: string): string {
  const found = parseCondition(written);
  if (!found) return written;
  const field = fieldOf(found.field);
  const sign = { "=": ":", "!=": " ≠ ", "<=": " ≤ ", ">=": " ≥ ", "<": " < ", ">": " > " }[found.operator];
  return `${field?.label ?? found.field}${sign}${found.value === "" ? "none" : shown(field, found.value)}`;
}

function shown(field: Field | undefined, value: string): string {
  if (field?.kind === "duration" && /^\d+$/.test(value)) return readableDuration(Number(value));
  if (field?.kind === "money") return `$${value}`;
  return value;
}

/** `4 s`, `350 ms`: exact, unlike a measured time. */
export function readableDuration(ns: number): string {
  for (const [unit, size] of [["h", 3600e9], ["min", 60e9], ["s", 1e9], ["ms", 1e6], ["µs", 1e3]] as const) {
    if (ns >= size && ns % (size / 1000) === 0) return `${ns / size} ${unit}`;
  }
  return `${ns} ns`;
}

/** Nanoseconds of `350ms`, undefined for what is none. */
export function nanoseconds(value: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|min|h)?$/.exec(value.trim());
  return found ? Math.round(Number(found[1]) * (NANOSECONDS[found[2] ?? "ns"] ?? 1)) : undefined;
}

/** The filter with the condition, or without it where it is there. Another value of the same field with `=` gives way. */
export function toggled(filter: readonly string[], condition: string): string[] {
  if (filter.includes(condition)) return filter.filter((one) => one !== condition);
  const added = parseCondition(condition);
  const kept = filter.filter((one) => {
    const found = parseCondition(one);
    return !(added?.operator === "=" && found?.operator === "=" && found.field === added.field);
  });
  return [...kept, condition];
}

export interface Suggestion {
  /** What stands in the box after it is taken. */
  text: string;
  label: string;
  hint: string;
  /** Whether it is a whole condition. */
  whole: boolean;
}

/** The last token of what was typed, which is the one that completion is about, and what comes before it. */
export function lastToken(typed: string): { before: string; token: string } {
  const found = /(?:^|\s)([^\s"]*(?:"[^"]*)?)$/.exec(typed);
  const token = found?.[1] ?? "";
  return { before: typed.slice(0, typed.length - token.length), token };
}

/** The field and the beginning of its value, where the token has come so far. */
export function halfway(token: string): { field: Field; sign: string; start: string } | undefined {
  const found = /^([^=!<>:"]+)(:|!=|<=|>=|=|<|>)(.*)$/.exec(token);
  const field = found ? fieldOf(found[1] ?? "") : undefined;
  return field && found ? { field, sign: found[2] ?? "=", start: unquoted(found[3] ?? "") } : undefined;
}

/** Fields whose names begin so, or hold it. */
export function suggestFields(token: string): Suggestion[] {
  if (token.startsWith('"')) return [];
  const wanted = token.toLowerCase();
  const ranked = FIELDS.map((field) => {
    const names = [field.name, field.label, ...Object.keys(SHORT).filter((short) => SHORT[short] === field.name)];
    const rank = Math.min(...names.map((name) => (name.startsWith(wanted) ? 0 : name.includes(wanted) ? 1 : 2)));
    return { field, rank };
  }).filter(({ rank }) => rank < 2);
  ranked.sort((one, other) => one.rank - other.rank);
  const fields = ranked.map(({ field }) => {
    const sign = field.kind === "text" || field.kind === "flag" ? "=" : ">=";
    return { text: `${field.name}${sign}`, label: field.name, hint: field.hint, whole: false };
  });
  const open = ["metadata.", "score."].filter((start) => start.startsWith(wanted) && wanted !== start);
  return [...fields, ...open.map((start) => ({ text: start, label: `${start}${start === "score." ? "NAME" : "KEY"}`, hint: fieldOf(`${start}x`)?.hint ?? "", whole: false }))];
}

/** Values of a field that begin so, from its most frequent ones. */
export function suggestValues(field: Field, sign: string, start: string, values: readonly { value: string | null; spans: number }[]): Suggestion[] {
  const operator = sign === ":" ? "=" : sign;
  const known = field.kind === "flag" ? [{ value: "true", spans: 0 }, { value: "false", spans: 0 }] : values;
  return known
    .filter(({ value }) => value !== null && value.toLowerCase().includes(start.toLowerCase()))
    .slice(0, 12)
    .map(({ value, spans }) => ({
      text: `${field.name}${operator}${/[\s"]/.test(value ?? "") ? `"${value}"` : value}`,
      label: value ?? "",
      hint: spans ? count(spans) : "",
      whole: true,
    }));
}
