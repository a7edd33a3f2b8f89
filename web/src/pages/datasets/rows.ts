/** Rows of datasets: what they are, how they read in one line, and how their text becomes values. */

export interface Example {
  id: string;
  inputs: Record<string, unknown>;
  reference: unknown;
  metadata: Record<string, unknown>;
  cluster: string | null;
  slices: Record<string, string>;
}

/** A value as a person reads it: text as it is, the rest as JSON. */
export function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const LONGEST = 300;

/** Values in one line, the name of each before it where there are several. */
export function line(values: Record<string, unknown>): string {
  const entries = Object.entries(values);
  const text = entries.map(([key, value]) => (entries.length === 1 ? written(value) : `${key}: ${written(value)}`)).join(" · ");
  return text.slice(0, LONGEST).replace(/\s+/g, " ");
}

/** A field of the form: text, or JSON where the value is no text. */
export interface Field {
  key: string;
  text: string;
  json: boolean;
}

export function fieldsOf(values: Record<string, unknown>): Field[] {
  return Object.entries(values).map(([key, value]) => ({ key, ...cellOf(value) }));
}

export function cellOf(value: unknown): { text: string; json: boolean } {
  return typeof value === "string" ? { text: value, json: false } : { text: value === null || value === undefined ? "" : JSON.stringify(value, null, 2), json: value !== null && value !== undefined };
}

/** The value that was written; an error says what is wrong with it. */
export function valueOf({ text, json }: { text: string; json: boolean }, name: string): unknown {
  if (!json) return text;
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${name} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function valuesOf(fields: readonly Field[], name: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const field of fields) {
    const key = field.key.trim();
    if (!key && !field.text.trim()) continue;
    if (!key) throw new Error(`A value of ${name} has no name.`);
    if (key in found) throw new Error(`${name} has ${key} twice.`);
    found[key] = valueOf(field, `${name}.${key}`);
  }
  return found;
}

export function same(left: unknown, right: unknown): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
}

/** What of two texts parts them: the same beginning, what was, what is, the same end, cut between words. */
export function parted(before: string, after: string): { head: string; was: string; is: string; tail: string } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  while (start > 0 && /\S/.test(before[start - 1] ?? " ")) start--;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  while (end > 0 && /\S/.test(before[before.length - end] ?? " ")) end--;
  return { head: before.slice(0, start), was: before.slice(start, before.length - end), is: after.slice(start, after.length - end), tail: before.slice(before.length - end) };
}

/** Changes that are not a version yet: by id, null for a row that goes. */
export type Pending = Readonly<Record<string, Example | null>>;

/** The pending changes as the API takes them. */
export function editOf(pending: Pending): { put: Example[]; remove: string[] } {
  return {
    put: Object.values(pending).filter((one): one is Example => one !== null),
    remove: Object.entries(pending).filter(([, one]) => one === null).map(([id]) => id),
  };
}
