import { api, ask } from "@/api/client";
import { asProblem } from "@/api/problem";
import { stale } from "@/api/query";
import type { components } from "@/api/schema";
import { notify } from "@/components/Toast";
import { counted } from "@/lib/format";
import { type Example, type Pending, editOf } from "./rows";

type Schemas = components["schemas"];
export type Made = Schemas["VersionMade"];
export type DatasetVersion = Schemas["DatasetVersion"];
export type DatasetLine = Schemas["DatasetLine"];

const at = (name: string) => ({ params: { path: { name } } });

/** After any write: what is shown of datasets is asked again. */
export function changed(): void {
  stale("/api/v1/datasets");
}

/** Does it, and says why where that cannot be: for what is done by one click and has no place for a problem. */
async function tried(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    notify(asProblem(error).message);
  }
}

/** Says what was made, with the version before as the way back. */
function told(name: string, { version, new: made }: Made): void {
  changed();
  if (!made) return notify("Nothing differs: the newest version holds this already.");
  const back = version.number > 1 ? () => restore(name, version.number - 1, version.number) : undefined;
  notify(`Version ${version.number} of ${name} is made: ${counted(version.examples, "example")}.`, back);
}

export async function saveEdit(name: string, base: number, pending: Pending, note?: string): Promise<Made> {
  const { put, remove } = editOf(pending);
  const body = { base, put: put as unknown as Record<string, never>[], remove, note: note || null };
  const made = await ask(api.POST("/api/v1/datasets/{name}/versions", { ...at(name), body }));
  told(name, made);
  return made;
}

export function restore(name: string, number: number, base: number): Promise<void> {
  return tried(async () => told(name, await ask(api.POST("/api/v1/datasets/{name}/restore", { ...at(name), body: { number, base, note: null } }))));
}

export async function create(name: string, description: string): Promise<void> {
  await ask(api.POST("/api/v1/datasets", { body: { name, description: description || null } }));
  changed();
}

export function archive(name: string, archived: boolean): Promise<void> {
  return tried(async () => {
    await ask(api.PATCH("/api/v1/datasets/{name}", { ...at(name), body: { description: null, archived } }));
    changed();
    if (archived) notify(`${name} is archived.`, () => void archive(name, false));
  });
}

const sent = (name: string, file: File, add: boolean) => ({
  params: { path: { name }, query: { filename: file.name, add } },
  body: file as unknown as never,
  bodySerializer: (body: unknown) => body as BodyInit,
  headers: { "content-type": "application/octet-stream" },
});

export function lookAt(name: string, file: File, add: boolean): Promise<Schemas["FileLooked"]> {
  return ask(api.POST("/api/v1/datasets/{name}/look", sent(name, file, add)));
}

export async function importFile(name: string, file: File, add: boolean): Promise<void> {
  told(name, await ask(api.POST("/api/v1/datasets/{name}/import", sent(name, file, add))));
}

export interface Spans {
  spans?: readonly { trace_id: string; span_id?: string | null }[];
  filter?: readonly string[];
}
export type InputsFrom = "auto" | "variables" | "messages" | "text";
export type ReferenceFrom = "human" | "output" | "none";

/** Rows from spans; with `look` only what they would be. */
export async function fromTraces(name: string, { spans = [], filter = [] }: Spans, mapping: { inputs: InputsFrom; reference: ReferenceFrom }, look: boolean, limit: number): Promise<Schemas["TracesTaken"]> {
  const picked = spans.map(({ trace_id, span_id }) => ({ trace_id, span_id: span_id ?? null }));
  const body = { selection: { spans: picked, filter: [...filter], limit }, mapping: { ...mapping, slices: [] }, note: null, look };
  const taken = await ask(api.POST("/api/v1/datasets/{name}/traces", { ...at(name), body }));
  if (!look) changed();
  return taken;
}

export const exampleOf = (found: Schemas["Example"]): Example => found as unknown as Example;
