import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import { type Schemas, api, ask, currentProject } from "@/api/client";
import { Code } from "@/components/Copy";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Answer, Empty, Section, Waiting } from "@/components/Section";
import { Choice, Tabs } from "@/components/Tabs";
import { Twin } from "@/components/Twin";
import { Id, Money } from "@/components/Values";
import { count, counted } from "@/lib/format";
import { useKeys } from "@/lib/keys";
import { useTitle } from "@/lib/title";
import { Ago, Said } from "./Marks";
import { Matrix } from "./Matrix";
import { Running } from "./Running";
import { Runs } from "./Runs";
import "./boxscore.css";

const route = getRouteApi("/experiments");
const STATES = { ship: "good", reject: "bad", undecided: "open" } as const;

/** Box scores as sentences; what runs now above them; all runs; variants beside each other. */
export function Experiments() {
  useTitle("Experiments");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { tab } = search;
  return (
    <>
      <div className="flex flex-wrap items-end justify-between gap-3">
        <Answer>{tab === "runs" ? "What was run" : tab === "matrix" ? "Variants beside each other" : <Standing dataset={search.dataset} />}</Answer>
        <Link to="/experiments/new" search={{ dataset: search.dataset }} className="btn go noprint mb-1">Compare …</Link>
      </div>
      <Running />
      <div className="mt-5">
        <Tabs
          name="Views of experiments"
          tabs={[
            { label: "Box scores", to: "/experiments", search: { ...search, tab: undefined }, active: tab === undefined },
            { label: "Runs", to: "/experiments", search: { ...search, tab: "runs", verdict: undefined }, active: tab === "runs" },
            { label: "Matrix", to: "/experiments", search: { ...search, tab: "matrix", verdict: undefined }, active: tab === "matrix" },
          ]}
        />
      </div>
      {(search.dataset || search.variant) && tab !== "matrix" && (
        <p className="mt-3 flex flex-wrap gap-2">
          {search.dataset && <Chip text={`dataset ${search.dataset}`} drop={() => void navigate({ search: (now) => ({ ...now, dataset: undefined }) })} />}
          {search.variant && <Chip text={`variant ${search.variant}`} drop={() => void navigate({ search: (now) => ({ ...now, variant: undefined }) })} />}
        </p>
      )}
      {tab === "runs" ? <Runs dataset={search.dataset} variant={search.variant} /> : tab === "matrix" ? <Matrix dataset={search.dataset} version={search.version} /> : <BoxScores dataset={search.dataset} variant={search.variant} verdict={search.verdict} />}
    </>
  );
}

function Chip({ text, drop }: { text: string; drop: () => void }) {
  return <span className="chip"><bdi className="clip">{text}</bdi><button type="button" aria-label={`without ${text}`} onClick={drop}>✕</button></span>;
}

type Entry = Schemas["ComparisonEntry"];
interface Filter {
  dataset?: string;
  variant?: string;
  verdict?: Entry["verdict"];
}

function useEntries({ dataset, variant, verdict }: Filter) {
  return useInfiniteQuery({
    queryKey: ["/api/v1/comparisons", currentProject() ?? null, dataset ?? null, variant ?? null, verdict ?? null],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/comparisons", { params: { query: { dataset, variant, verdict, limit: 50, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
}

/** The answer of the page: what was decided here. */
function Standing({ dataset }: { dataset?: string }) {
  const found = useEntries({ dataset });
  const entries = found.data?.pages.flatMap(({ items }) => items);
  if (!entries) return <>Experiments</>;
  if (!entries.length) return <>No change was judged yet.</>;
  const of = (verdict: Entry["verdict"]) => entries.filter((entry) => entry.verdict === verdict).length;
  const more = found.hasNextPage ? " or more" : "";
  const told = [of("ship") && `${count(of("ship"))} to ship`, of("reject") && `${count(of("reject"))} to reject`, of("undecided") && `${count(of("undecided"))} undecided`].filter(Boolean);
  return <><b>{counted(entries.length, "change")}</b>{more} judged: {told.join(", ")}.</>;
}

function BoxScores(filter: Filter) {
  const navigate = route.useNavigate();
  const found = useEntries(filter);
  const entries = found.data?.pages.flatMap(({ items }) => items) ?? [];
  const list = useRef<HTMLOListElement>(null);
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a.said") ?? [])];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useKeys([
    { keys: "j", does: "next box score", run: () => move(1) },
    { keys: "k", does: "box score before", run: () => move(-1) },
  ]);
  if (found.isPending) return <Waiting what="Reading the box scores" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  const filtered = filter.dataset !== undefined || filter.variant !== undefined || filter.verdict !== undefined;
  if (!entries.length && !filtered) return <First />;
  return (
    <>
      <div className="mt-3"><Choice name="Which verdicts" value={filter.verdict ?? "all"} options={["all", "ship", "reject", "undecided"]} choose={(one) => void navigate({ search: (now) => ({ ...now, verdict: one === "all" ? undefined : one }) })} /></div>
      {!entries.length && <Empty title="No box score is like this." />}
      <ol className="mt-2" ref={list}>
        {entries.map((entry) => <li key={entry.id}><Sentence entry={entry} /></li>)}
      </ol>
      {found.hasNextPage && <button type="button" className="mt-3" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>more</button>}
      <Twin path="/api/v1/comparisons" query={{ dataset: filter.dataset, variant: filter.variant, verdict: filter.verdict }} />
    </>
  );
}

function Sentence({ entry }: { entry: Entry }) {
  const { id, verdict, said, dataset, examples, baseline, candidate, created_at, spent_usd, rule } = entry;
  return (
    <article className="sentence">
      <span className={`font-semibold ${STATES[verdict]}`}><Mark state={STATES[verdict]} /> {verdict}</span>
      <div>
        <p><Link to="/experiments/$id" params={{ id }} search={{}} className="said"><Said said={said} /></Link></p>
        <p className="fine mt-1">
          <Link to="/experiments" search={{ dataset }}><bdi>{dataset}</bdi></Link> · {counted(examples, "example")} · <bdi>{baseline.name}</bdi> → <bdi>{candidate.name}</bdi> · {rule} · <Money usd={spent_usd} /> · <Ago at={created_at} /> · <Id id={id} />
        </p>
      </div>
    </article>
  );
}

function First() {
  return (
    <Section title="What will be here" fine="A box score: one table that says whether a change is worth it, in quality, dollars and seconds.">
      <Empty title="Every comparison, whoever starts it, is kept and shown here as a sentence. Start one from this page, or with a command:">
        <div className="grid max-w-[720px] gap-3">
          <Code text="boxscore init && boxscore compare boxscore.yaml" label="A comparison of your own" />
          <Code text="boxscore demo" label="The whole loop on an example" />
        </div>
      </Empty>
      <p className="mt-4 max-w-[900px] text-data"><span className="good font-semibold"><Mark state="good" /> ship</span> gpt-4-0314 answers <b>34.4 points more right</b> (±4.3), costs <b>$13.31 more</b> per 1,000, answers <b>0.7 s later</b> at p50. One extra right answer costs <b>3.9 cents</b>. <span className="mut">(a true example, on 1,000 recorded answers)</span></p>
    </Section>
  );
}
