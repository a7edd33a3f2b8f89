import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Empty, Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { Text } from "@/components/Text";
import { count } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { VariantMark, stateOf } from "./Marks";

export type Outcome = "worse" | "better" | "tied";
const PAGE = 5;

interface Chosen {
  outcome: Outcome;
  slice?: string;
  value?: string;
}

/** The choice which examples are shown; its numbers are counts over all of them. */
export function Segments({ counts, chosen, choose }: { counts: Schemas["PairCounts"]; chosen: Outcome; choose: (outcome: Outcome) => void }) {
  const options = (["worse", "better", "tied"] as const).map((one) => [one, <span key={one}>{one} {count(counts[one])}</span>] as const);
  return <Choice name="Which examples" value={chosen} options={options} choose={choose} />;
}

/** Both answers to each example side by side, with where they part. */
export function Pairs({ id, outcome, slice, value, count: all, names, edit }: Chosen & { id: string; count: number; names: readonly [string, string]; edit?: (example: string) => void }) {
  const found = useInfiniteQuery({
    queryKey: ["/api/v1/comparisons/{id}/pairs", currentProject() ?? null, id, outcome, slice ?? null, value ?? null],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/comparisons/{id}/pairs", { params: { path: { id }, query: { outcome, slice, value, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    staleTime: Infinity,
  });
  const pairs = found.data?.pages.flatMap((page) => page.items) ?? [];
  const [at, setAt] = useState(-1);
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLDivElement>(null);
  const moving = useRef(false);
  useEffect(() => setAt(-1), [outcome, slice, value]);
  useEffect(() => {
    if (!moving.current) return;
    moving.current = false;
    list.current?.querySelector<HTMLElement>(`[data-pair="${at}"]`)?.focus();
  }, [at, pairs.length]);
  const move = (to: number) => {
    if (to >= pairs.length && found.hasNextPage) void found.fetchNextPage();
    moving.current = true;
    setAt(Math.max(0, Math.min(to, found.hasNextPage ? to : pairs.length - 1)));
  };
  const toggle = (example: string) => setWhole((before) => {
    const next = new Set(before);
    if (!next.delete(example)) next.add(example);
    return next;
  });
  useKeys([
    { keys: "j", does: "next example", run: () => move(at + 1) },
    { keys: "k", does: "example before", run: () => move(at - 1) },
    { keys: "d", does: "whole answers, or only where they part", run: () => { const pair = pairs[at]; if (pair) toggle(pair.example_id); } },
    ...(edit ? [{ keys: "e", does: "edit the example in its dataset", run: () => { const pair = pairs[at]; if (pair) edit(pair.example_id); } }] : []),
  ]);
  if (found.isPending) return <Waiting what="Reading the answers" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  if (!pairs.length && all > 0 && slice === undefined) return <Empty title="The answers were not kept: the verdict was reached elsewhere, or its runs were erased." />;
  if (!pairs.length) return <Empty title={outcome === "worse" ? "No example got worse." : outcome === "better" ? "No example got better." : "No example is tied."} />;
  return (
    <div ref={list}>
      {pairs.map((pair, place) => (
        <Pair key={pair.example_id} pair={pair} place={place} names={names} current={place === at} whole={whole.has(pair.example_id)} toggle={() => toggle(pair.example_id)} />
      ))}
      {found.hasNextPage && <button type="button" className="mt-3" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{found.isFetchingNextPage ? "Reading …" : `${PAGE} more`}</button>}
    </div>
  );
}

function Pair({ pair, place, names, current, whole, toggle }: { pair: Schemas["PairLine"]; place: number; names: readonly [string, string]; current: boolean; whole: boolean; toggle: () => void }) {
  const question = pair.question.replace(/\s+/g, " ");
  const long = pair.question.length > 140 || pair.question.includes("\n");
  const unlike = pair.agreement < 1 && ![...pair.baseline.pieces, ...pair.candidate.pieces].some(({ kind }) => kind === "apart");
  return (
    <article className="case" data-pair={place} tabIndex={-1} aria-current={current ? "true" : undefined} aria-label={`Example ${pair.example_id}`}>
      <p className="asked">
        <code>#{pair.example_id}</code> <bdi>{long ? `${question.slice(0, 140)}…` : question}</bdi>
        {pair.reference !== null && <span className="mut"> · reference <b><bdi>{pair.reference.slice(0, 80)}</bdi></b></span>}
        {Object.entries(pair.slices).map(([name, value]) => <span key={name} className="mut"> · <bdi>{name}: {value}</bdi></span>)}
        {" "}<button type="button" className="plain link mut" aria-pressed={whole} onClick={toggle}>{whole ? "where they part" : "whole"}</button>
      </p>
      {whole && long && <div className="question"><Text text={pair.question} /></div>}
      <div className="pair">
        <Side answer={pair.baseline} name={names[0]} place={0} whole={whole} />
        <Side answer={pair.candidate} name={names[1]} place={1} whole={whole} />
      </div>
      {unlike && <p className="fine">{Math.round(100 * pair.agreement)} % of the words are common: too unlike to mark.</p>}
    </article>
  );
}

function Side({ answer, name, place, whole }: { answer: Schemas["PairSide"]; name: string; place: number; whole: boolean }) {
  const state = stateOf(answer.state);
  return (
    <div>
      <div className="who">
        <VariantMark place={place} /><b><bdi>{name}</bdi></b>
        <span className={state === "none" ? "mut" : state}>{state !== "none" && <Mark state={state} />} <bdi>{answer.outcome}</bdi></span>
        <span className="fine ml-auto">{answer.numbers}</span>
      </div>
      {answer.error !== null ? <p className="txt answer bad">error: {answer.error}</p>
        : answer.pieces.length === 0 ? <p className="txt answer ink2">an empty answer</p>
        : <div className="txt answer" dir="auto">{answer.pieces.map((piece, at) => <Piece key={`${at} ${whole}`} piece={piece} right={answer.value === 1} whole={whole} />)}</div>}
      {answer.cut > 0 && <p className="fine">{count(answer.cut)} more characters are cut.</p>}
      {answer.note && <p className="fine"><bdi>{answer.note}</bdi></p>}
    </div>
  );
}

function Piece({ piece: { text, kind, folded, marked }, right, whole }: { piece: Schemas["PieceLine"]; right: boolean; whole: boolean }) {
  const [open, setOpen] = useState(whole || !folded);
  if (!open) return <> <button type="button" className="fold" onClick={() => setOpen(true)}>… {count(text.split(/\s+/).filter(Boolean).length)} words</button> </>;
  const body = marked ? <mark>{text}</mark> : text;
  if (kind === "same") return <span className="same">{body}</span>;
  if (kind === "apart") return <ins className={right ? "r" : "w"}>{body}</ins>;
  return <>{body}</>;
}
