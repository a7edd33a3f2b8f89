/** The query of an address: plain text, repeated keys for lists, nothing for what is as always. */

export type Query = Record<string, string | string[] | undefined>;

export function parseQuery(text: string): Query {
  const found: Query = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found[name];
    found[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return found;
}

export function writeQuery(query: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one !== undefined && one !== null && one !== "" && one !== false) params.append(name, String(one));
    }
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/* Readers for `validateSearch`: what an address says, or undefined where it says nothing that is understood. */

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A list that is absent when empty, so that it leaves the address. */
export function list(value: unknown): string[] | undefined {
  const found = (Array.isArray(value) ? (value as unknown[]) : [value]).filter((one): one is string => typeof one === "string" && one !== "");
  return found.length ? found : undefined;
}

export function flag(value: unknown): true | undefined {
  return value === true || value === "true" || value === "1" ? true : undefined;
}

export function number(value: unknown): number | undefined {
  const found = typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : NaN;
  return Number.isFinite(found) ? found : undefined;
}

export function oneOf<Known extends string>(value: unknown, known: readonly Known[]): Known | undefined {
  return known.find((one) => one === value);
}
