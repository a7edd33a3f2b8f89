import type { Asked } from "./Job";
import type { Kind } from "./decide";

export interface Side {
  name: string;
  provider: string;
  model: string;
  /** A text, or messages as JSON. */
  prompt: string;
  /** JSON, or nothing. */
  params: string;
}

/** A comparison as it is being typed. */
export interface Draft {
  dataset: string;
  limit: string;
  repeats: string;
  sides: Side[];
  scorers: string;
  rule: Kind;
  /** In points. */
  margin: string;
  /** Dollars a success. */
  price: string;
  cap: string;
}

export function fresh(): Draft {
  const side = { provider: "tiny", model: "", prompt: "", params: "" };
  return { dataset: "", limit: "", repeats: "1", sides: [{ ...side, name: "before" }, { ...side, name: "after" }], scorers: "", rule: "superiority", margin: "", price: "", cap: "" };
}

export type Made = { asked: Asked; problem?: undefined } | { asked?: undefined; problem: string };

/** What is asked of the API, or the one thing that is missing. */
export function askedOf(draft: Draft): Made {
  if (!draft.dataset) return { problem: "Choose a dataset." };
  const names = draft.sides.map(({ name }) => name.trim());
  if (names.some((name) => !name) || new Set(names).size < names.length) return { problem: "Each variant has a name of its own." };
  const variants: Asked["variants"] = {};
  for (const side of draft.sides) {
    const name = side.name.trim();
    if (!side.model.trim()) return { problem: `Which model answers as ${name}?` };
    if (!side.prompt.trim()) return { problem: `What is ${name} asked? Write its prompt.` };
    const said = promptOf(side.prompt);
    if (said === undefined) return { problem: `The messages of ${name} are no JSON list of {"role", "content"}.` };
    const params = paramsOf(side.params);
    if (params === undefined) return { problem: `The parameters of ${name} are no JSON object, as in {"temperature": 0}.` };
    variants[name] = { provider: side.provider, model: side.model.trim(), ...said, ...(Object.keys(params).length ? { params } : {}) };
  }
  const scorers = draft.scorers.split(/[;\n]/).map((one) => one.trim()).filter(Boolean);
  if (!scorers.length) return { problem: "Name a scorer: the first one decides." };
  const margin = Number(draft.margin || 0) / 100;
  if (draft.rule === "noninferiority" && !(margin > 0)) return { problem: "How much worse may it be? Give the margin in points." };
  if (draft.rule === "value" && !(Number(draft.price) > 0)) return { problem: "What is one more success worth? Give it in dollars." };
  const rule = draft.rule === "value" ? { kind: draft.rule, usd_per_success: Number(draft.price) } : { kind: draft.rule, margin };
  return {
    asked: {
      dataset: draft.dataset,
      variants,
      baseline: names[0],
      candidate: names.length > 2 ? names.slice(1) : names[1],
      scorers,
      rule: rule as unknown as Asked["rule"],
      ...(Number(draft.repeats) > 1 ? { repeats: Math.round(Number(draft.repeats)) } : {}),
      ...(Number(draft.limit) > 0 ? { limit: Math.round(Number(draft.limit)) } : {}),
      ...(Number(draft.cap) > 0 ? { spend_cap_usd: Number(draft.cap) } : {}),
    },
  };
}

/** The form as it was for a comparison that was asked for before. */
export function draftOf(asked: Asked): Draft {
  const start = fresh();
  const order = [asked.baseline, ...[asked.candidate ?? []].flat()].filter((name): name is string => typeof name === "string" && name in asked.variants);
  const names = [...order, ...Object.keys(asked.variants).filter((name) => !order.includes(name))];
  const rule = asked.rule;
  const scorers = asked.scorers ?? [];
  return {
    ...start,
    dataset: typeof asked.dataset === "string" ? asked.dataset : "",
    limit: asked.limit ? String(asked.limit) : "",
    repeats: String(asked.repeats ?? 1),
    sides: names.map((name) => {
      const { provider = "openai", model = "", prompt, messages, params } = asked.variants[name] ?? {};
      const said = messages ?? prompt;
      return { name, provider, model, prompt: typeof said === "string" ? said : JSON.stringify(said, null, 2), params: params && Object.keys(params).length ? JSON.stringify(params) : "" };
    }),
    scorers: [scorers].flat().map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("; "),
    rule: (rule?.kind as Kind | undefined) ?? "superiority",
    margin: rule?.margin ? String(rule.margin * 100) : "",
    price: rule?.usd_per_success ? String(rule.usd_per_success) : "",
    cap: asked.spend_cap_usd ? String(asked.spend_cap_usd) : "",
  };
}

function promptOf(text: string): { prompt: string } | { messages: unknown[] } | undefined {
  if (!text.trim().startsWith("[")) return { prompt: text };
  const found = parsed(text);
  const messages = Array.isArray(found) && found.length > 0 && found.every((one) => typeof one === "object" && one !== null && "role" in one);
  return messages ? { messages: found as unknown[] } : undefined;
}

function paramsOf(text: string): Record<string, unknown> | undefined {
  if (!text.trim()) return {};
  const found = parsed(text);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
