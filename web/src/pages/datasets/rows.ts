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

/** Any value in one line. */
export function short(value: unknown): string {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? line(value as Record<string, unknown>) : written(value).slice(0, LONGEST).replace(/\s+/g, " ");
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

export interface Piece {
  kind: "same" | "was" | "is";
  text: string;
}

const CELLS = 400_000;

/** What parts two texts, word by word; of very long ones what lies between the same beginning and the same end. */
export function parted(before: string, after: string): Piece[] {
  const [was, is] = [before.split(/(?<=\s)/), after.split(/(?<=\s)/)];
  let start = 0;
  while (start < Math.min(was.length, is.length) && was[start] === is[start]) start++;
  let end = 0;
  while (end < Math.min(was.length, is.length) - start && was[was.length - 1 - end] === is[is.length - 1 - end]) end++;
  const found: Piece[] = [];
  const add = (kind: Piece["kind"], text: string) => {
    const last = found.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text) found.push({ kind, text });
  };
  add("same", was.slice(0, start).join(""));
  between(was.slice(start, was.length - end), is.slice(start, is.length - end), add);
  add("same", was.slice(was.length - end).join(""));
  return found;
}

/** The longest common words, by the textbook. */
function between(was: readonly string[], is: readonly string[], add: (kind: Piece["kind"], text: string) => void): void {
  if (was.length * is.length > CELLS || !was.length || !is.length) {
    add("was", was.join(""));
    add("is", is.join(""));
    return;
  }
  const width = is.length + 1;
  const longest = new Uint16Array((was.length + 1) * width);
  for (let row = was.length - 1; row >= 0; row--) {
    for (let column = is.length - 1; column >= 0; column--) {
      longest[row * width + column] = was[row] === is[column] ? longest[(row + 1) * width + column + 1]! + 1 : Math.max(longest[(row + 1) * width + column]!, longest[row * width + column + 1]!);
    }
  }
  let [row, column] = [0, 0];
  while (row < was.length || column < is.length) {
    if (row < was.length && column < is.length && was[row] === is[column]) {
      add("same", was[row]!);
      row++;
      column++;
    } else if (row < was.length && (column === is.length || longest[(row + 1) * width + column]! >= longest[row * width + column + 1]!)) add("was", was[row++]!);
    else add("is", is[column++]!);
  }
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
