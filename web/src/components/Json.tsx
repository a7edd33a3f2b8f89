import { useState } from "react";
import { copy } from "./Values";

const FOLD = 40;

/** JSON as text, foldable. What is in it is never read as anything else. */
export function Json({ value, open = 2 }: { value: unknown; open?: number }) {
  return (
    <div className="mono relative leading-[18px]">
      <button type="button" className="bare absolute top-0 right-0 h-5 text-fine" onClick={() => void copy(JSON.stringify(value, null, 2))}>Copy</button>
      <Node value={value} depth={open} />
    </div>
  );
}

function Node({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const [open, setOpen] = useState(depth > 0);
  const [all, setAll] = useState(false);
  const label = name === undefined ? null : <span className="text-accent">{name}: </span>;
  if (value === null || typeof value !== "object") {
    return <div className="txt">{label}<Scalar value={value} /></div>;
  }
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((one, at) => [String(at), one]) : Object.entries(value);
  const [before, after] = Array.isArray(value) ? "[]" : "{}";
  if (entries.length === 0) return <div>{label}{before}{after}</div>;
  const shown = all ? entries : entries.slice(0, FOLD);
  return (
    <div>
      <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="mut" aria-hidden="true">{open ? "▾ " : "▸ "}</span>{label}<span className="mut">{open ? before : `${before} ${entries.length} ${after}`}</span>
      </button>
      {open && (
        <div className="border-l border-rule-2 pl-4">
          {shown.map(([key, one]) => <Node key={key} name={key} value={one} depth={depth - 1} />)}
          {shown.length < entries.length && <button type="button" className="plain link mut" onClick={() => setAll(true)}>{entries.length - shown.length} more</button>}
        </div>
      )}
      {open && <div className="mut">{after}</div>}
    </div>
  );
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === "string") return <span>{JSON.stringify(value)}</span>;
  return <span className="text-good">{String(value)}</span>;
}
