import { Link, useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, Suspense, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLive } from "@/api/live";
import { currentProject } from "@/api/client";
import { useRange } from "@/frame/range";
import { Code } from "@/components/Copy";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { Count, Duration, Money, Time } from "@/components/Values";
import { count, counted, duration, money } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { writeQuery } from "@/lib/params";
import { RANGES, type Range, range as rangeOf } from "@/lib/range";
import { useTitle } from "@/lib/title";
import { AddToDataset } from "./adding";
import { Facets } from "./Facets";
import { FilterBar } from "./FilterBar";
import { ScoreValue } from "./Scores";
import { TimeBars } from "./TimeBars";
import { TraceView } from "./TraceView";
import { type Scroller, Virtual } from "./Virtual";
import { type Asked, type Score, type SessionRow, type Span, type Summary, conditions, countAgain, useKept, useLatestScores, useRows, useTotals } from "./questions";
import { type ListSearch, TABS, type Tab, traces } from "./routes";
import "./traces.css";

const ROW = 28;
const FRESH = 500;
const WIDE = "(min-width: 1101px)";

/** The place of traces, spans and sessions: what came, what of it is asked for, and one of them beside the list. */
export function Traces() {
  useTitle("Traces");
  const search = traces.useSearch();
  const range = useRange();
  const navigate = useNavigate();
  const { tab = "traces", filter = NONE, text, trace } = search;
  const asked: Asked = useMemo(() => ({ tab, filter, text, range }), [tab, filter, text, range]);
  const change = useCallback((next: Partial<ListSearch> & { range?: string }, replace = false) => void navigate({ to: "/traces", search: (before: object) => ({ ...before, ...next }), replace, resetScroll: false } as never), [navigate]);
  const setFilter = useCallback((next: readonly string[], words: string | undefined = text) => change({ filter: next.length ? [...next] : undefined, text: words }), [change, text]);
  const [facets, setFacets] = useState(false);
  const isLive = tab === "traces" && !text && !range.name.includes("..");
  const { data: totals } = useTotals(range);
  const told = tab !== "sessions" && totals?.traces !== 0; // where there is nothing, nothing has shares
  const live = useArrivals(asked, isLive, search.paused === true);
  const pause = () => change({ paused: search.paused ? undefined : true }, true);
  useKeys(isLive ? [{ keys: " ", does: "pause, or go on", run: pause }] : []);

  return (
    <>
      <Line asked={asked} />
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5 border-t border-rule-ink pt-2.5 pb-2">
        <nav className="seg" aria-label="Rows">
          {TABS.map((one) => (
            <Link key={one} to="/traces" className="btn capitalize" search={((before: object) => ({ ...before, tab: one === "traces" ? undefined : one, trace: undefined, span: undefined, paused: undefined })) as never} activeOptions={{ explicitUndefined: true }} activeProps={{}} aria-current={one === tab ? "page" : undefined}>{one}</Link>
          ))}
        </nav>
        <FilterBar asked={asked} set={setFilter} />
        {isLive && (
          <button type="button" aria-pressed={!search.paused} onClick={pause}>
            {search.paused ? <><Mark state="open" /> Paused{live.held > 0 ? ` · ${count(live.held)} new` : ""} · go on</> : <><Mark state={live.state === "live" ? "good" : "open"} /> {live.state === "live" ? `Live${live.lag === undefined ? "" : `, ${duration(live.lag / 1000)} behind`}` : "Connecting"} · pause</>} <kbd className="hide-s">space</kbd>
          </button>
        )}
        <button type="button" className="facets-button" aria-expanded={facets} onClick={() => setFacets(!facets)}>Facets</button>
      </div>
      {told && <TimeBars asked={asked} choose={(start, end) => change({ range: `${iso(start)}..${iso(end)}` })} />}
      <div className={`places ${trace ? "split" : ""} ${told ? "" : "alone"}`}>
        {told && <Facets asked={asked} set={setFilter} inside={(next) => change({ tab: "spans", filter: [...next], trace: undefined, span: undefined })} shown={facets} />}
        <List key={tab} asked={asked} search={search} change={change} live={isLive ? live : undefined} />
        {trace && (
          <aside className="beside" aria-label="The open trace">
            <TraceView id={trace} search={search} set={({ span, view }) => change({ span, view }, true)} beside />
          </aside>
        )}
      </div>
    </>
  );
}
const NONE: string[] = [];
const iso = (ns: number) => new Date(ns / 1e6).toISOString();

/** The answer of the page: what happened, and how much of it the filter keeps. */
function Line({ asked }: { asked: Asked }) {
  const { range, filter, text, tab } = asked;
  const { data: totals } = useTotals(range);
  const filtered = filter.length > 0 && tab !== "sessions";
  const { data: kept } = useKept(asked, filtered);
  const when = range.name.includes("..") ? "in this time" : `in the ${range.label}`;
  const query = writeQuery({ project: currentProject(), filter: conditions(asked) });
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 pt-4 pb-2.5">
      <h1 className="say sm flex-1 basis-80">
        {totals === undefined ? "Traces" : totals.traces === 0 ? <>No traces {when}.</> : (
          <>
            <b>{count(totals.traces)}</b> {totals.traces === 1 ? "trace" : "traces"} {when}, {totals.errors ? <b>{counted(totals.errors, "error")}</b> : "no errors"}
            {totals.p50 !== null && <>, p50 <b>{duration(totals.p50 / 1e9)}</b></>}{totals.p95 !== null && <>, p95 <b>{duration(totals.p95 / 1e9)}</b></>}{totals.cost !== null && <>, <b>{money(totals.cost)}</b></>}.
          </>
        )}
        {filtered && kept !== undefined && <> Your filter keeps <b>{count(kept)}</b>{tab === "spans" ? ` ${kept === 1 ? "span" : "spans"}` : ""}.</>}
        {text && <> Searched for {visible(text)}.</>}
      </h1>
      {totals?.traces !== 0 && <><a className="btn" href={`/api/v1/${tab}.csv${query}`} download>CSV</a>
      <a className="btn" href={`/api/v1/${tab}${query}`} target="_blank" rel="noreferrer">JSON</a></>}
    </div>
  );
}

type Item = Summary | Span | SessionRow;
const isSession = (item: Item): item is SessionRow => "traces" in item;
const isSummary = (item: Item): item is Summary => "models" in item;
/** The trace of a row that has one. */
const traceOf = (item: Summary | Span): string => (isSummary(item) ? item.entry.trace_id : item.trace_id);

function List({ asked, search, change, live }: { asked: Asked; search: ListSearch; change: (next: Partial<ListSearch>, replace?: boolean) => void; live?: Arriving }) {
  const { tab, text } = asked;
  const navigate = useNavigate();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useRows(asked);
  const scores = useLatestScores(tab === "traces");
  const id = useId();
  const list = useRef<Scroller>(null);

  const items = useMemo(() => {
    const found: Item[] = data?.pages.flatMap((page) => page.items as Item[]) ?? [];
    if (!live) return text && tab === "traces" ? onePerTrace(found) : found;
    const rows = new Map<string, Item>();
    for (const summary of live.fresh) rows.set(summary.entry.trace_id, summary);
    const late: Item[] = [];
    for (const item of found) if (!rows.has(keyOf(item))) late.push(item);
    return [...rows.values(), ...late];
  }, [data, live?.fresh, text, tab]); // eslint-disable-line -- of what is live only its rows count
  const chosenKey = tab === "spans" ? (search.span ?? search.trace) : search.trace;
  const at = items.findIndex((item) => keyOf(item) === chosenKey);

  const open = (item: Item | undefined, whole = false) => {
    if (!item) return;
    if (isSession(item)) return void navigate({ to: "/sessions/$id", params: { id: item.session } });
    const span = isSummary(item) ? undefined : item.span_id;
    const trace = traceOf(item);
    if (whole || !matchMedia(WIDE).matches) return void navigate({ to: "/traces/$id", params: { id: trace }, search: { span } });
    change({ trace, span, view: search.view }, search.trace !== undefined); // so that back closes it
  };
  const [cursor, setCursor] = useState(-1);
  const current = at >= 0 ? at : cursor;
  const move = (by: number) => {
    const next = Math.min(items.length - 1, Math.max(0, current + by));
    setCursor(next);
    list.current?.show(next);
    if (tab !== "sessions" && matchMedia(WIDE).matches) open(items[next]);
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -items.length, End: items.length }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(by);
  };
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [adding, setAdding] = useState<readonly string[] | "all">();
  const pick = (item: Item | undefined) => {
    if (!item || isSession(item)) return;
    const trace = traceOf(item);
    setPicked((before) => { const next = new Set(before); if (!next.delete(trace)) next.add(trace); return next; });
  };
  useKeys([
    { keys: "j", does: "next row", run: () => move(1) },
    { keys: "k", does: "row before", run: () => move(-1) },
    { keys: "Enter", does: "open", run: () => open(items[current], true) },
    { keys: "x", does: "select", run: () => pick(items[current]) },
    { keys: "Escape", does: "close the trace", run: () => change({ trace: undefined, span: undefined, view: undefined }, true) },
  ]);

  if (error && !data) return <div><ProblemNote error={error} retry={refetch} /></div>;
  const shape = tab === "sessions" ? "of-session" : tab === "spans" ? "of-span" : "of-trace";
  const pending = data?.pages.at(-1)?.pending ?? 0;
  const total = data?.pages.at(-1)?.cursor === null ? items.length : undefined;
  return (
    <div className="min-w-0">
      {live !== undefined && live.skipped > 0 && <p className="fine pb-1.5">{counted(live.skipped, "trace")} came too fast to show one by one: reload to see all.</p>}
      {data === undefined ? <Waiting what="Looking" /> : items.length === 0 ? <Nothing asked={asked} /> : (
        <Virtual
          count={items.length}
          height={ROW}
          most="max(320px, calc(100vh - 290px))"
          role="listbox"
          label={`${tab}, newest first`}
          active={current >= 0 ? `${id}-${current}` : undefined}
          near={hasNextPage && !isFetchingNextPage ? () => void fetchNextPage() : undefined}
          handle={list}
          onKeyDown={press}
          head={<Head tab={tab} shape={shape} />}
          row={(index, style) => {
            const item = items[index];
            if (!item) return null;
            const key = keyOf(item);
            const isPicked = picked.size > 0 && !isSession(item) && picked.has(traceOf(item));
            return (
              <div key={key} id={`${id}-${index}`} role="option" aria-selected={index === current} className={`row grid-row ${shape} ${live?.arrived.has(key) ? "arrive" : ""}`} style={style} onClick={() => { setCursor(index); open(item); }} onDoubleClick={() => open(item, true)}>
                {isSession(item) ? <OfSession item={item} /> : isSummary(item) ? <OfTrace item={item} score={scores.get(key)} picked={isPicked} /> : tab === "traces" ? <OfHit item={item} score={scores.get(item.trace_id)} picked={isPicked} /> : <OfSpan item={item} picked={isPicked} />}
              </div>
            );
          }}
        />
      )}
      {items.length > 0 && (
        <p className="fine pt-2">
          {pending > 0 && <>{counted(pending, "span")} came a moment ago and cannot be searched yet · </>}{total === undefined ? `${count(items.length)} shown, more on the way down` : counted(total, tab.slice(0, -1))} · <kbd>j</kbd> <kbd>k</kbd> move, <kbd>enter</kbd> open{tab !== "sessions" && <>, <kbd>x</kbd> select</>}
          {picked.size === 0 && tab !== "sessions" && !text && asked.filter.length > 0 && <> · <button type="button" className="plain link" onClick={() => setAdding("all")}>add all to a dataset</button></>}
          {picked.size > 0 && <> · <button type="button" className="plain link" onClick={() => setAdding([...picked])}>add {picked.size} to a dataset</button> · <button type="button" className="plain link" onClick={() => setPicked(new Set())}>none</button></>}
        </p>
      )}
      <Suspense>{adding && <AddToDataset {...(adding === "all" ? { filter: [...(tab === "traces" ? ["entry=true"] : []), ...conditions(asked)] } : { traces: adding })} open close={() => setAdding(undefined)} />}</Suspense>
    </div>
  );
}

function keyOf(item: Item): string {
  return isSession(item) ? item.session : isSummary(item) ? item.entry.trace_id : item.span_id;
}

function onePerTrace(found: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return found.filter((item) => {
    const trace = isSession(item) ? keyOf(item) : traceOf(item);
    return !seen.has(trace) && Boolean(seen.add(trace));
  });
}

function Head({ tab, shape }: { tab: Tab; shape: string }) {
  const names = tab === "sessions" ? ["ago", "session", "user", "#turns", "#spans", "#errors", "#tokens", "#cost"] : tab === "spans" ? ["ago", "span", "model", "said", "#took", "#tokens", "#cost"] : ["ago", "asked", "#took", "#cost", ""];
  return <div className={`rows-head grid-row ${shape}`} aria-hidden="true">{names.map((name) => <span key={name} className={name.startsWith("#") ? "num" : ""}>{name.replace("#", "")}</span>)}</div>;
}

const Ago = ({ at }: { at: number }) => <span className="mut"><Time at={at} /></span>;
const oneLine = (text: string | undefined) => visible((text ?? "").replace(/\s+/g, " ").slice(0, 240));
const Failed = () => <span className="bad text-fine"><Mark state="bad" /> error</span>;

function OfTrace({ item, score, picked }: { item: Summary; score?: Score; picked: boolean }) {
  const { entry } = item;
  const isOpen = entry.duration_ns === null;
  return (
    <>
      <Ago at={Math.min(entry.start_ns, entry.received_ns)} />
      <span>{picked && "✓ "}{oneLine(entry.input_text) || visible(entry.name)}</span>
      <span className="num"><Duration ns={item.duration_ns} /></span>
      <span className="num"><Money usd={item.cost_usd} /></span>
      <span>{isOpen ? <span className="fine">{counted(item.spans, "span")} …</span> : entry.error ? <Failed /> : score ? <ScoreValue score={score} short /> : item.errors > 0 ? <span className="fine bad">{counted(item.errors, "error")} inside</span> : null}</span>
    </>
  );
}

function OfHit({ item, score, picked }: { item: Span; score?: Score; picked: boolean }) {
  return (
    <>
      <Ago at={item.start_ns} />
      <span>{picked && "✓ "}{oneLine(item.input_text) || visible(item.name)}{item.output_text && <span className="mut"> → {oneLine(item.output_text)}</span>}</span>
      <span className="num"><Duration ns={item.duration_ns} /></span>
      <span className="num"><Money usd={item.cost_usd} /></span>
      <span>{item.error ? <Failed /> : score ? <ScoreValue score={score} short /> : null}</span>
    </>
  );
}

function OfSpan({ item, picked }: { item: Span; picked: boolean }) {
  const tokens = item.input_tokens === null && item.output_tokens === null ? null : (item.input_tokens ?? 0) + (item.output_tokens ?? 0);
  return (
    <>
      <Ago at={item.start_ns} />
      <span className={item.error ? "bad" : ""}>{picked && "✓ "}{item.error && "◆ "}{visible(item.name)}</span>
      <span className="mut">{visible(item.model ?? item.model_asked ?? item.operation ?? "")}</span>
      <span>{oneLine(item.error ? (item.status_message ?? "") : "") || oneLine(item.input_text)}</span>
      <span className="num"><Duration ns={item.duration_ns} /></span>
      <span className="num"><Count value={tokens} /></span>
      <span className="num"><Money usd={item.cost_usd} /></span>
    </>
  );
}

function OfSession({ item }: { item: SessionRow }) {
  const tokens = item.input_tokens === null && item.output_tokens === null ? null : (item.input_tokens ?? 0) + (item.output_tokens ?? 0);
  return (
    <>
      <Ago at={item.last_ns} />
      <span>{visible(item.session)}</span>
      <span className="mut">{visible(item.user ?? "")}</span>
      <span className="num"><Count value={item.traces} /></span>
      <span className="num"><Count value={item.spans} /></span>
      <span className={`num ${item.errors ? "bad" : ""}`}><Count value={item.errors} /></span>
      <span className="num"><Count value={tokens} /></span>
      <span className="num"><Money usd={item.cost_usd} /></span>
    </>
  );
}

/** Nothing to show: because of the filter, because of the time, or because nothing ever came. */
function Nothing({ asked: { filter, text, range, tab } }: { asked: Asked }) {
  const wider = RANGES[RANGES.indexOf(range.name as (typeof RANGES)[number]) + 1];
  if (filter.length > 0 || text) {
    return (
      <p className="py-4 text-data ink2">
        No {tab === "traces" ? "trace" : tab === "spans" ? "span" : "session"} {range.name.includes("..") ? "of this time" : `of the ${range.label}`} is like that{tab === "traces" && filter.length > 0 ? " where it begins: models and steps are mostly of spans inside" : ""}.{" "}
        {tab === "traces" && filter.length > 0 && <><Link to="/traces" search={((before: object) => ({ ...before, tab: "spans" })) as never}>Among all spans</Link> · </>}
        <Link to="/traces" search={((before: object) => ({ ...before, filter: undefined, text: undefined })) as never}>Without the filter</Link>
        {wider && <> · <Link to="/traces" search={((before: object) => ({ ...before, range: wider })) as never}>in the {rangeOf(wider).label}</Link></>}
      </p>
    );
  }
  return <Begin range={range} wider={wider} tab={tab} />;
}

function Begin({ range, wider, tab }: { range: Range; wider?: string; tab: Tab }) {
  return (
    <div className="grid max-w-[720px] gap-3 py-4 text-data">
      <p className="ink2">
        {tab === "sessions" ? "Conversations appear here: traces that name the same session." : "Every call of your application appears here the moment it is acknowledged: what it was asked, what it took and cost, and each step inside."}
        {" "}None began {range.name.includes("..") ? "in this time" : `in the ${range.label}`}.{wider && <> <Link to="/traces" search={((before: object) => ({ ...before, range: wider })) as never}>Look at the {rangeOf(wider).label}</Link></>}
      </p>
      <p>Three lines make the first one:</p>
      <Code label="Python that sends a trace" text={`import boxscore\n\nboxscore.init(url="${location.origin}")\n\n@boxscore.trace\ndef answer(question: str) -> str:\n    return "It is on its way."\n\nanswer("Where is my order?")`} />
      <p className="fine">Anything that speaks OpenTelemetry sends here too: <code>OTEL_EXPORTER_OTLP_ENDPOINT={location.origin}</code>. This page is listening.</p>
    </div>
  );
}

interface Arriving {
  fresh: readonly Summary[];
  /** Keys of rows that came a moment ago. */
  arrived: ReadonlySet<string>;
  held: number;
  lag?: number;
  skipped: number;
  state: string;
}

/** What arrives while the page is open, newest first. Paused, it is counted and kept back. */
function useArrivals({ filter, range }: Asked, enabled: boolean, paused: boolean): Arriving {
  const [fresh, setFresh] = useState<readonly Summary[]>([]);
  const [lag, setLag] = useState<number>();
  const [skipped, setSkipped] = useState(0);
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const held = useRef<Summary[]>([]);
  const [heldCount, setHeld] = useState(0);
  const what = JSON.stringify([filter, range.name]);
  useEffect(() => { setFresh([]); held.current = []; setHeld(0); setSkipped(0); }, [what]);

  const show = useCallback((came: readonly Summary[]) => {
    setArrived(new Set(came.map(({ entry }) => entry.trace_id)));
    setFresh((before) => {
      const rows = new Map(before.map((one) => [one.entry.trace_id, one]));
      for (const one of came) rows.set(one.entry.trace_id, one);
      return [...rows.values()].sort((one, other) => other.entry.start_ns - one.entry.start_ns).slice(0, FRESH);
    });
  }, []);
  useEffect(() => {
    if (!paused && held.current.length) {
      show(held.current);
      held.current = [];
      setHeld(0);
    }
  }, [paused, show]);
  const state = useLive(enabled ? "/api/v1/traces/live" : null, { filter: [...filter] }, ["traces"], (_, told) => {
    const { traces: came, lag_ms, skipped: missed } = told as { traces: Summary[]; lag_ms: number; skipped: number };
    setLag(lag_ms);
    setSkipped((before) => before + missed);
    countAgain();
    if (paused) {
      held.current = [...came, ...held.current.filter((one) => !came.some(({ entry }) => entry.trace_id === one.entry.trace_id))].slice(0, FRESH);
      setHeld(held.current.length);
    } else show(came);
  });
  return { fresh: enabled ? fresh : NOTHING, arrived, held: heldCount, lag, skipped, state };
}
const NOTHING: readonly Summary[] = [];
