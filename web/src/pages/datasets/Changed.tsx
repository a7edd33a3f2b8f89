import { visible } from "@/components/Text";
import { count } from "@/lib/format";
import { type Example, parted, same, written } from "./rows";

const LONG = 600;

/** What parts two states of a row, field by field. */
export function Changed({ before, after }: { before: Example | null; after: Example | null }) {
  const names = (part: "inputs" | "slices" | "metadata") => [...new Set([...Object.keys(before?.[part] ?? {}), ...Object.keys(after?.[part] ?? {})])];
  const fields: [string, unknown, unknown][] = [
    ...names("inputs").map((key): [string, unknown, unknown] => [`inputs.${key}`, before?.inputs[key], after?.inputs[key]]),
    ["reference", before?.reference, after?.reference],
    ["cluster", before?.cluster, after?.cluster],
    ...names("slices").map((key): [string, unknown, unknown] => [`slices.${key}`, before?.slices[key], after?.slices[key]]),
    ...names("metadata").map((key): [string, unknown, unknown] => [`metadata.${key}`, before?.metadata[key], after?.metadata[key]]),
  ];
  return (
    <dl className="grid gap-2 text-data">
      {fields.filter(([, was, is]) => !same(was ?? null, is ?? null)).map(([name, was, is]) => (
        <div key={name}><dt className="fine">{visible(name)}</dt><dd><Parted was={written(was)} is={written(is)} /></dd></div>
      ))}
    </dl>
  );
}

function Parted({ was, is }: { was: string; is: string }) {
  return (
    <p className="txt" dir="auto">
      {parted(was, is).map(({ kind, text }, at) => {
        if (kind === "was") return <del key={at} className="bad bg-bad-wash">{visible(cut(text))}</del>;
        if (kind === "is") return <ins key={at} className="good bg-good-wash no-underline">{visible(cut(text))}</ins>;
        return <span key={at} className="mut">{visible(text.length > LONG ? `${text.slice(0, LONG / 4)} … ${text.slice(-LONG / 4)}` : text)}</span>;
      })}
    </p>
  );
}

const cut = (text: string) => (text.length > LONG * 4 ? `${text.slice(0, LONG * 4)} … ${count(text.length - LONG * 4)} more characters` : text);
