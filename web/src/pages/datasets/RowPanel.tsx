import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Json } from "@/components/Json";
import { Text, visible } from "@/components/Text";
import { Id } from "@/components/Values";
import { Changed } from "./Changed";
import { type Example, type Field, cellOf, fieldsOf, same, valueOf, valuesOf } from "./rows";

interface Props {
  row: Example;
  /** What is stored of it, where it has changed since. */
  was?: Example;
  frozen: boolean;
  editing: boolean;
  edit: (on: boolean) => void;
  put: (before: string, row: Example) => void;
  remove: (id: string) => void;
  close: () => void;
}

/** One row, to read or to edit. */
export function RowPanel({ row, was, frozen, editing, edit, put, remove, close }: Props) {
  return (
    <aside className="sticky top-14 max-h-[calc(100vh-72px)] self-start overflow-y-auto border-t border-rule-ink px-0.5 pt-1.5 pb-6 max-sm:static max-sm:max-h-none" aria-label={`Row ${row.id}`}>
      <div className="flex flex-wrap items-center justify-between gap-2 pb-2">
        <h2 className="mono txt min-w-0">{visible(row.id)}</h2>
        <span className="flex gap-1">
          {!frozen && !editing && <button type="button" className="h-6" onClick={() => edit(true)}>Edit <kbd>e</kbd></button>}
          {!frozen && !editing && <button type="button" className="h-6" onClick={() => remove(row.id)}>Remove</button>}
          <button type="button" className="bare h-6" aria-label="Close the row" onClick={close}>✕</button>
        </span>
      </div>
      {editing && !frozen ? <RowForm row={row} put={(next) => { edit(false); put(row.id, next); }} cancel={() => edit(false)} /> : <Shown row={row} was={was} />}
    </aside>
  );
}

function Shown({ row, was }: { row: Example; was?: Example }) {
  if (was && !same(was, row)) return <><p className="fine pb-2">Not saved; what it changes:</p><Changed before={was} after={row} /></>;
  const { trace_id: trace, span_id: span } = row.metadata as { trace_id?: unknown; span_id?: unknown };
  return (
    <dl className="grid gap-3 text-data">
      {Object.entries(row.inputs).map(([key, value]) => <Value key={key} name={Object.keys(row.inputs).length > 1 || key !== "input" ? `input · ${key}` : "input"} value={value} />)}
      <Value name="reference" value={row.reference} none="none: scorers that compare need one" />
      {row.cluster !== null && <Value name="cluster" value={row.cluster} />}
      {Object.keys(row.slices).length > 0 && <Value name="slices" value={Object.entries(row.slices).map(([key, value]) => `${key}: ${value}`).join("\n")} />}
      {typeof trace === "string" && (
        <div><dt className="fine">made from</dt><dd>trace <Link to="/traces/$id" params={{ id: trace }} search={{ span: typeof span === "string" ? span : undefined }} className="mono">{visible(trace.slice(0, 8))}</Link> <Id id={trace} /></dd></div>
      )}
      {Object.keys(row.metadata).length > 0 && <div><dt className="fine">metadata</dt><dd><Json value={row.metadata} /></dd></div>}
    </dl>
  );
}

function Value({ name, value, none = "none" }: { name: string; value: unknown; none?: string }) {
  return (
    <div>
      <dt className="fine">{visible(name)}</dt>
      <dd>{value === null || value === undefined ? <span className="mut">{none}</span> : typeof value === "string" ? <Text text={value} /> : <Json value={value} />}</dd>
    </div>
  );
}

function RowForm({ row, put, cancel }: { row: Example; put: (row: Example) => void; cancel: () => void }) {
  const [id, setId] = useState(row.id);
  const [inputs, setInputs] = useState<readonly Field[]>(fieldsOf(row.inputs));
  const [reference, setReference] = useState(cellOf(row.reference));
  const [cluster, setCluster] = useState(row.cluster ?? "");
  const [slices, setSlices] = useState<readonly Field[]>(fieldsOf(row.slices));
  const [metadata, setMetadata] = useState(JSON.stringify(row.metadata, null, 2));
  const [problem, setProblem] = useState("");
  const save = (event: FormEvent) => {
    event.preventDefault();
    try {
      const known = valueOf({ text: metadata || "{}", json: true }, "metadata");
      if (known === null || typeof known !== "object" || Array.isArray(known)) throw new Error("metadata is no JSON object.");
      const told = valueOf(reference, "reference");
      put({
        id: id.trim(),
        inputs: valuesOf(inputs, "inputs"),
        reference: told === "" ? null : told,
        cluster: cluster || null,
        slices: Object.fromEntries(Object.entries(valuesOf(slices, "slices")).map(([key, value]) => [key, String(value)])),
        metadata: known as Record<string, unknown>,
      });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className="grid gap-3 text-data" onSubmit={save} onKeyDown={(event) => {
      if (event.key === "Escape") cancel();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
    }}>
      <label className="grid gap-1"><span className="fine">id</span><input className="mono" required maxLength={500} value={id} onChange={(event) => setId(event.target.value)} /></label>
      <Fields name="input" fields={inputs} set={setInputs} first />
      <Cell name="reference" text={reference.text} json={reference.json} set={setReference} />
      <label className="grid gap-1"><span className="fine">cluster: rows of one conversation, document or customer</span><input value={cluster} onChange={(event) => setCluster(event.target.value)} /></label>
      <Fields name="slice" fields={slices} set={setSlices} short />
      <label className="grid gap-1"><span className="fine">metadata, JSON</span><textarea className="mono" rows={Math.min(10, metadata.split("\n").length)} value={metadata} onChange={(event) => setMetadata(event.target.value)} /></label>
      {problem && <p role="alert" className="bad">{problem}</p>}
      <div className="flex justify-end gap-2">
        <button type="button" onClick={cancel}>Cancel</button>
        <kbd className="hide-s self-center">ctrl enter</kbd>
        <button className="go">Take it</button>
      </div>
    </form>
  );
}

function Fields({ name, fields, set, first, short }: { name: string; fields: readonly Field[]; set: (fields: readonly Field[]) => void; first?: boolean; short?: boolean }) {
  const put = (at: number, field: Field) => set(fields.map((one, index) => (index === at ? field : one)));
  return (
    <fieldset className="grid gap-2">
      {fields.map((field, at) => (
        <div key={at} className={short ? "grid grid-cols-[minmax(0,1fr)_minmax(0,2fr)_28px] gap-1" : "grid gap-1"}>
          <div className="flex items-center gap-1">
            <input className={`min-w-0 ${short ? "w-full" : "h-6 flex-1 border-transparent! bg-transparent! px-0! text-fine"}`} aria-label={`Name of ${name} ${at + 1}`} placeholder={`name of the ${name}`} value={field.key} onChange={(event) => put(at, { ...field, key: event.target.value })} />
            {!short && <JsonToggle json={field.json} set={(json) => put(at, { ...field, json })} />}
            {!short && fields.length > 1 && <button type="button" className="bare h-6" aria-label={`Remove ${name} ${field.key}`} onClick={() => set(fields.filter((_, index) => index !== at))}>✕</button>}
          </div>
          {short ? (
            <>
              <input className="min-w-0" aria-label={`Value of ${name} ${field.key}`} value={field.text} onChange={(event) => put(at, { ...field, text: event.target.value })} />
              <button type="button" className="bare" aria-label={`Remove ${name} ${field.key}`} onClick={() => set(fields.filter((_, index) => index !== at))}>✕</button>
            </>
          ) : (
            <textarea autoFocus={first && at === 0} className={field.json ? "mono" : ""} dir="auto" rows={height(field.text)} aria-label={`Value of ${name} ${field.key}`} value={field.text} onChange={(event) => put(at, { ...field, text: event.target.value })} />
          )}
        </div>
      ))}
      <button type="button" className="plain link mut w-fit text-fine" onClick={() => set([...fields, { key: "", text: "", json: false }])}>another {name}</button>
    </fieldset>
  );
}

function Cell({ name, text, json, set }: { name: string; text: string; json: boolean; set: (cell: { text: string; json: boolean }) => void }) {
  return (
    <div className="grid gap-1">
      <span className="fine flex items-center justify-between">{name} <JsonToggle json={json} set={(on) => set({ text, json: on })} /></span>
      <textarea className={json ? "mono" : ""} dir="auto" rows={height(text)} aria-label={name} placeholder="none" value={text} onChange={(event) => set({ text: event.target.value, json })} />
    </div>
  );
}

function JsonToggle({ json, set }: { json: boolean; set: (json: boolean) => void }) {
  return <label className="fine flex items-center gap-1"><input type="checkbox" checked={json} onChange={(event) => set(event.target.checked)} />JSON</label>;
}

const height = (text: string) => Math.max(2, Math.min(14, text.split("\n").length + Math.floor(text.length / 90)));
