import { useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { asks, useAsk } from "@/api/query";
import { counted } from "@/lib/format";
import { relative } from "@/lib/time";
import { PLACES } from "./places";

interface Found {
  kind: string;
  label: string;
  fine?: string;
  to: string;
  params?: Record<string, string>;
  search?: Record<string, unknown>;
}

const ID = /^[0-9a-f]{4,32}$/i;

/** One search over everything: names of places and things, ids, and the text of spans. */
export function Search() {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const list = useId();
  const found = useFound(useDeferredValue(text.trim()), open);
  useEffect(() => setAt(0), [text]);

  const go = (one: Found | undefined) => {
    if (!one) return;
    setOpen(false);
    setText("");
    (document.activeElement as HTMLElement | null)?.blur();
    void navigate({ to: one.to, params: one.params, search: one.search } as never);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const words = text.trim();
      go(found[at] ?? (words ? allWith(words) : undefined)); // who types fast does not wait for what is found
    } else if (event.key === "Escape") {
      setOpen(false);
      (event.target as HTMLElement).blur();
    }
  };
  const shown = open && text.trim() !== "";
  return (
    <div className="search" role="search" ref={box} onBlur={(event) => { if (!box.current?.contains(event.relatedTarget)) setOpen(false); }}>
      <span aria-hidden="true">⌕</span>
      <input
        id="search"
        type="search"
        autoComplete="off"
        placeholder="Names, ids, text"
        aria-label="Search everything"
        role="combobox"
        aria-expanded={shown}
        aria-controls={list}
        aria-activedescendant={shown && found[at] ? `${list}-${at}` : undefined}
        value={text}
        onFocus={() => setOpen(true)}
        onChange={(event) => { setText(event.target.value); setOpen(true); }}
        onKeyDown={press}
      />
      <kbd>/</kbd>
      {shown && (
        <ul id={list} role="listbox" aria-label="Found" className="absolute top-8 right-0 left-0 z-30 max-h-[60vh] overflow-y-auto border border-rule-ink bg-lift py-1 text-data text-ink">
          {found.length === 0 && <li className="fine px-3 py-1">Nothing is called so, and no text has these words.</li>}
          {found.map((one, index) => (
            <li key={`${one.kind} ${one.label} ${index}`} id={`${list}-${index}`} role="option" aria-selected={index === at} className={`flex cursor-pointer items-baseline gap-3 px-3 py-1 ${index === at ? "bg-sunk" : ""}`} onMouseEnter={() => setAt(index)} onMouseDown={(event) => { event.preventDefault(); go(one); }}>
              <span className="fine w-16 shrink-0">{one.kind}</span>
              <span className="clip min-w-0 flex-1">{one.label}</span>
              <span className="fine nw">{one.fine}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function allWith(text: string): Found {
  return { kind: "traces", label: `All traces with “${text}”`, to: "/traces", search: { text } };
}

/** Fields whose values have names that people know. */
const NAMED = ["name", "model", "step", "session", "user"] as const;

function useNames(enabled: boolean): { field: (typeof NAMED)[number]; value: string; spans: number }[] {
  const found = useQueries({ queries: NAMED.map((field) => ({ ...asks("/api/v1/facets", { params: { query: { field, limit: 500 } } }), enabled, staleTime: 60_000 })) });
  return NAMED.flatMap((field, at) => (found[at]?.data ?? []).flatMap(({ value, spans }) => (value === null ? [] : [{ field, value, spans }])));
}

function useFound(text: string, enabled: boolean): Found[] {
  const asked = enabled && text.length > 1;
  const ids = useAsk("/api/v1/trace-ids", { params: { query: { beginning: text.toLowerCase(), limit: 5 } } }, { enabled: asked && ID.test(text), keep: true });
  const hits = useAsk("/api/v1/search", { params: { query: { text, limit: 8 } } }, { enabled: asked, keep: true });
  const datasets = useAsk("/api/v1/datasets", { params: { query: { limit: 100 } } }, { enabled: asked });
  const comparisons = useAsk("/api/v1/comparisons", { params: { query: { limit: 100 } } }, { enabled: asked });
  const names = useNames(asked);
  const lower = text.toLowerCase();
  const found: Found[] = PLACES.filter(({ name }) => text && name.toLowerCase().startsWith(lower)).map(({ to, name }) => ({ kind: "place", label: name, to }));
  if (!asked) return found;
  if (ID.test(text)) {
    for (const id of ids.data ?? []) found.push({ kind: "trace", label: id, to: "/traces/$id", params: { id } });
  }
  for (const { name } of datasets.data?.items ?? []) {
    if (name.toLowerCase().includes(lower)) found.push({ kind: "dataset", label: name, to: "/datasets/$name", params: { name } });
  }
  for (const { id, baseline, candidate, dataset, verdict, created_at } of comparisons.data?.items ?? []) {
    const label = `${baseline.name} → ${candidate.name} on ${dataset}`;
    if (label.toLowerCase().includes(lower) || id.startsWith(lower)) found.push({ kind: verdict, label, fine: relative(created_at), to: "/experiments/$id", params: { id } });
  }
  for (const { field, value, spans } of names.filter((one) => one.value.toLowerCase().includes(lower)).slice(0, 6)) {
    const fine = counted(spans, "span");
    if (field === "session") found.push({ kind: field, label: value, fine, to: "/sessions/$id", params: { id: value } });
    else found.push({ kind: field === "name" ? "span" : field, label: value, fine, to: "/traces", search: { tab: "spans", filter: [`${field}=${value}`] } });
  }
  for (const span of hits.data?.items ?? []) {
    found.push({ kind: "text", label: span.name, fine: relative(span.start_ns), to: "/traces/$id", params: { id: span.trace_id }, search: { span: span.span_id } });
  }
  found.push(allWith(text));
  return found;
}
