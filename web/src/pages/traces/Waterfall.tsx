import { type KeyboardEvent, memo, useEffect, useId, useMemo, useRef, useState } from "react";
import { visible } from "@/components/Text";
import { count, counted, duration, money } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { type Scroller, Virtual } from "./Virtual";
import { type Outline, allFolded, dearest, depthsOf, endsOf, errorsOf, found, huesOf, marks, nextOf, sentence, slowest, unfoldedTo, visibleRows } from "./tree";

const ROW = 26;
const INDENT = 14;
const DEEPEST = 12;

/** A trace as a tree with bars in one table: what began when, how long it took, what it cost. */
export function Waterfall({ outline, span, choose, most, first }: { outline: Outline; span: string | undefined; choose: (span: string | undefined) => void; most: string; first?: boolean }) {
  const { columns, words } = outline;
  const ends = useMemo(() => endsOf(columns.parent), [columns]);
  const depths = useMemo(() => depthsOf(columns.parent), [columns]);
  const hues = useMemo(() => huesOf(outline), [outline]);
  const chosen = useMemo(() => (span === undefined ? -1 : columns.span_id.indexOf(span)), [columns, span]);
  const [folded, setFolded] = useState<ReadonlySet<number>>(() => new Set());
  const rows = useMemo(() => visibleRows(ends, folded), [ends, folded]);
  const [wanted, setWanted] = useState("");
  const hits = useMemo(() => found(outline, wanted), [outline, wanted]);
  const hitSet = useMemo(() => new Set(hits), [hits]);
  const list = useRef<Scroller>(null);
  const id = useId();
  const search = useRef<HTMLInputElement>(null);

  const errors = useMemo(() => errorsOf(columns), [columns]);
  const go = (place: number | undefined) => {
    if (place === undefined || place < 0) return;
    setFolded((before) => unfoldedTo(columns.parent, before, place));
    choose(columns.span_id[place]);
  };
  // the chosen span comes into sight, whoever chose it
  useEffect(() => {
    if (chosen < 0) return;
    const next = unfoldedTo(columns.parent, folded, chosen);
    if (next !== folded) setFolded(next);
    list.current?.show(visibleRows(ends, next).indexOf(chosen));
  }, [chosen]); // eslint-disable-line -- only when it changes

  const fold = (place: number, shut: boolean) => setFolded((before) => {
    const next = new Set(before);
    if (shut) next.add(place);
    else next.delete(place);
    return next;
  });
  const at = Math.max(0, chosen < 0 ? -1 : rows.indexOf(chosen));
  const step = (by: number) => go(rows[chosen < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]);
  const inside = (place: number) => (ends[place] ?? 0) > place + 1;
  const left = () => {
    if (chosen >= 0 && inside(chosen) && !folded.has(chosen)) fold(chosen, true);
    else go(columns.parent[chosen]);
  };
  const right = () => {
    if (chosen >= 0 && folded.has(chosen)) fold(chosen, false);
    else if (chosen >= 0 && inside(chosen)) go(chosen + 1);
  };
  const next = () => go(nextOf(hits, chosen));
  const dear = useMemo(() => dearest(columns), [columns]);
  const slow = useMemo(() => slowest(columns), [columns]);
  const keys = [
    { keys: "j", does: "next span", run: () => step(1) },
    { keys: "k", does: "span before", run: () => step(-1) },
    { keys: "h", does: "fold, or go to what it is in", run: left },
    { keys: "l", does: "unfold, or go inside", run: right },
    { keys: "n", does: "next found", run: next },
    { keys: "!", does: "next error", run: () => go(nextOf(errors, chosen)) },
    { keys: "s", does: "slowest span", run: () => go(slow) },
    { keys: "$", does: "dearest span", run: () => go(dear) },
    { keys: "w", does: "search in the trace", run: () => search.current?.focus() },
  ];
  useKeys(first ? keys : []);
  const press = (event: KeyboardEvent) => {
    const arrows: Record<string, string> = { ArrowDown: "j", ArrowUp: "k", ArrowLeft: "h", ArrowRight: "l" };
    if (event.key === "Home") { event.preventDefault(); go(rows[0]); return; }
    if (event.key === "End") { event.preventDefault(); go(rows.at(-1)); return; }
    const key = keys.find((one) => one.keys === (arrows[event.key] ?? event.key));
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    key.run();
  };
  const total = Math.max(1, outline.duration_ns);
  const said = sentence(outline);
  const isFolded = folded.size > 0;
  return (
    <div>
      <div className="mb-1 flex flex-wrap items-center gap-x-2 gap-y-1">
        <p className="fine flex-1 basis-48">
          {said && <>{visible(said)}; </>}{counted(outline.spans, "span")}{columns.first_token_ns.some((one) => one !== null) && "; pale: until the first token"}
        </p>
        <input ref={search} type="search" className="h-6! w-32 text-fine!" placeholder="search in it" aria-label="Search in this trace" value={wanted} onChange={(event) => setWanted(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter") { event.preventDefault(); next(); } }} />
        {wanted.trim() !== "" && <span className="fine nw" role="status">{hits.length ? `${count(hits.length)} found` : "none"}</span>}
        {errors.length > 0 && <button type="button" className="h-6! px-2! text-fine! bad" title="!" onClick={() => go(nextOf(errors, chosen))}>{counted(errors.length, "error")}</button>}
        {outline.spans > 2 && <button type="button" className="h-6! px-2! text-fine!" title="s" onClick={() => go(slow)}>Slowest</button>}
        {dear >= 0 && outline.spans > 2 && <button type="button" className="h-6! px-2! text-fine!" title="$" onClick={() => go(dear)}>Dearest</button>}
        {outline.spans > 12 && <button type="button" className="h-6! px-2! text-fine!" onClick={() => setFolded(isFolded ? new Set() : allFolded(ends))}>{isFolded ? "Unfold" : "Fold"}</button>}
      </div>
      <Virtual
        count={rows.length}
        height={ROW}
        most={most}
        role="tree"
        label={`Spans of ${outline.name}`}
        active={chosen >= 0 ? `${id}-${chosen}` : undefined}
        onKeyDown={press}
        handle={list}
        className="waterfall"
        head={
          <div className="rows-head wf-row" aria-hidden="true">
            <span className="pl-1">span</span><span>model</span>
            <span className="wf-scale"><span>{marks(total / 1e9, first ? 4 : 3).map((one, index, all) => <i key={one} style={{ left: `${(100 * one * 1e9) / total}%` }}>{index === all.length - 1 ? mark(one) : mark(one).replace(/ .*/, "")}</i>)}</span></span>
            <span className="num">tokens</span><span className="num">cost</span>
          </div>
        }
        row={(index, style) => {
          const place = rows[index] ?? 0;
          return (
            <Row
              key={place}
              id={`${id}-${place}`}
              style={style}
              name={words[columns.name[place] ?? 0] ?? ""}
              model={words[columns.model[place] ?? -1] ?? words[columns.operation[place] ?? -1] ?? ""}
              depth={depths[place] ?? 0}
              hue={hues[place] ?? -1}
              from={(columns.offset_ns[place] ?? 0) / total}
              length={(columns.duration_ns[place] ?? 0) / total}
              wait={(columns.first_token_ns[place] ?? 0) / total}
              took={columns.duration_ns[place] ?? null}
              tokens={(columns.input_tokens[place] ?? 0) + (columns.output_tokens[place] ?? 0)}
              cost={columns.cost_usd[place] ?? null}
              failed={columns.error[place] ?? false}
              message={outline.messages[String(place)]}
              orphan={columns.orphan[place] ?? false}
              inside={inside(place)}
              hidden={folded.has(place) ? (ends[place] ?? 0) - place - 1 : 0}
              chosen={place === chosen}
              hit={hitSet.has(place)}
              place={place}
              choose={go}
              fold={fold}
            />
          );
        }}
      />
      <Notes outline={outline} />
    </div>
  );
}

/** A mark of the scale, without the zeros of a measured time. */
function mark(seconds: number): string {
  return seconds === 0 ? "0" : duration(seconds).replace(/\.0+(?= )/, "").replace(/(\.\d*?)0+(?= )/, "$1");
}

interface RowProps {
  id: string; style: { transform: string; height: number }; name: string; model: string; depth: number; hue: number;
  from: number; length: number; wait: number; took: number | null; tokens: number; cost: string | null; failed: boolean; message?: string; orphan: boolean;
  inside: boolean; hidden: number; chosen: boolean; hit: boolean; place: number; choose: (place: number) => void; fold: (place: number, shut: boolean) => void;
}

const Row = memo(function Row({ id, style, name, model, depth, hue, from, length, wait, took, tokens, cost, failed, message, orphan, inside, hidden, chosen, hit, place, choose, fold }: RowProps) {
  const color = failed ? "var(--bad)" : hue < 0 ? "var(--f0)" : `var(--f${hue})`;
  const waits = Math.min(wait, length);
  const end = from + length;
  const label = took === null ? "no end told" : duration(took / 1e9);
  return (
    <div id={id} className="row wf-row" style={style} role="treeitem" aria-level={depth + 1} aria-expanded={inside ? hidden === 0 : undefined} aria-selected={chosen} title={message ? visible(message) : undefined}
      onClick={() => choose(place)}>
      <span className={failed ? "bad" : ""} style={{ paddingLeft: INDENT * Math.min(depth, DEEPEST) }}>
        {inside ? <button type="button" className="fold" tabIndex={-1} aria-hidden="true" onClick={(event) => { event.stopPropagation(); fold(place, hidden === 0); }}>{hidden ? "▸" : "▾"}</button> : <span className="inline-block w-4" />}
        {failed && <><span aria-hidden="true">◆ </span><span className="hidden-text">failed </span></>}{orphan && <span className="mut" title="What it is in is not here yet">⋯ </span>}
        <span className={hit ? "border-b-2 border-accent" : ""}>{visible(name)}</span>{hidden > 0 && <span className="mut"> {count(hidden)}</span>}
      </span>
      <span className="mut text-fine">{visible(model)}</span>
      <span className="wf-bar"><span>
        {waits > 0 && <i className="wait" style={{ left: `${100 * from}%`, width: `${100 * waits}%`, background: color }} />}
        <i className={inside && hue < 0 ? "thin" : ""} style={{ left: `${100 * (from + waits)}%`, width: `${100 * (length - waits)}%`, background: color }} />
        <b style={{ left: `${100 * end}%` }}>{label}</b>
      </span></span>
      <span className="num">{tokens ? count(tokens) : ""}</span>
      <span className="num">{cost === null ? "" : money(cost)}</span>
    </div>
  );
});

/** What is odd about the trace. */
function Notes({ outline }: { outline: Outline }) {
  const notes: string[] = [];
  if (outline.left_out) notes.push(`Only the first ${counted(outline.spans, "span")} are shown; the trace has more.`);
  if (outline.orphans) notes.push(`⋯ ${counted(outline.orphans, "span")} whose parent is not here yet: it may still come.`);
  for (const { application, shift_ns, spans } of outline.shifts) {
    const way = shift_ns < 0 ? "ahead" : "behind";
    notes.push(`The clock of ${visible(application ?? "another process")} seems ${duration(Math.abs(shift_ns) / 1e9)} ${way}: its ${counted(spans, "span")} ${spans === 1 ? "is" : "are"} shown ${shift_ns < 0 ? "earlier" : "later"} by that, and kept as sent.`);
  }
  if (outline.unfinished) notes.push(`${counted(outline.unfinished, "span")} told no end so far.`);
  return notes.map((note) => <p key={note} className="fine pt-1">{note}</p>);
}
