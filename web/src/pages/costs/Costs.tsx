import { Link, useNavigate } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { Bars } from "@/components/Charts";
import { ProblemNote } from "@/components/Problem";
import { Answer, Empty, Section, Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { Code } from "@/components/Copy";
import { Twin, csv, save } from "@/components/Twin";
import { router } from "@/router";
import { useRange } from "@/frame/range";
import { compact, count, counted, money, percent } from "@/lib/format";
import { forecast } from "@/lib/forecast";
import { during, inTime } from "@/lib/range";
import { DAY, absolute, day, tick } from "@/lib/time";
import { useTitle } from "@/lib/title";
import { PriceChanges } from "./PriceChanges";
import { SpendTable } from "./SpendTable";
import { WhatIf } from "./WhatIf";
import { type By as ByField, GROUPS, costs } from "./routes";
import { type Cell, useSpend, useSpendOverTime, wholeDays } from "./spend";

const MANY = 5;

/** What does it cost, what made it so, and what would it cost otherwise. */
export function Costs() {
  const range = useRange();
  const search = costs.useSearch();
  const navigate = useNavigate({ from: "/costs" });
  const by = search.by ?? "model";
  const field = by === "day" ? "model" : by;
  useTitle("Costs");

  // the answer first: tables and what-ifs are asked for when it is there
  const overTime = useSpendOverTime(range, field);
  const drawn = overTime.cells !== undefined || overTime.error !== null;
  const models = useSpend(range, "model", drawn);
  const other = useSpend(range, field === "model" ? "step" : field, drawn && models.rows !== undefined);

  if (models.error) return <ProblemNote error={models.error} retry={models.retry} />;
  const spent = overTime.cells?.reduce((sum, { usd }) => sum + usd, 0) ?? 0;
  if (!models.rows && spent === 0) return <Waiting />;
  const rows = models.rows ?? [];
  if (models.rows?.length === 0) return <Nothing label={range.label} />;
  const total = models.total ?? { value: null, usd: spent, calls: 0, unpriced: 0, tokens: 0, share: 1 };

  const days = overTime.step === DAY && overTime.cells ? wholeDays(overTime.cells, overTime.from, overTime.to, Date.now() * 1e6) : [];
  const month = forecast(days.slice(-7), 30);
  const change = total.before ? total.usd / total.before - 1 : undefined;
  const [first] = rows;

  return (
    <>
      {total.usd === 0 ? (
        <Answer>Nothing was spent {inTime(range.label)}: <b>{counted(total.calls, "call")}</b>, {compact(total.tokens)} tokens, {total.unpriced === total.calls ? "at no known price" : "of models that cost nothing to call"}.</Answer>
      ) : (
      <Answer>
        Spent <b>{money(total.usd)}</b> {inTime(range.label)}
        {change !== undefined && Math.abs(change) >= 0.005 && <>, <b>{percent(Math.abs(change), 0)} {change > 0 ? "more" : "less"}</b> than in the time before</>}
        {first && first.share > 0.3 && rows.length > 1 && <>; <b>{first.value}</b> is {percent(first.share, 0)} of it</>}.
        {month && <> At the last {Math.min(7, days.length)} days’ rate, 30 days cost <b>{money(month.value)}</b> ({money(month.low)} to {money(month.high)}).</>}
      </Answer>
      )}
      {total.unpriced > 0 && (
        <p className="mt-2 text-data ink2">
          {count(total.unpriced)} of {counted(total.calls, "call")} {total.unpriced === 1 ? "has" : "have"} no known price and {total.unpriced === 1 ? "is" : "are"} not in these sums. <Link to="/settings/$part" params={{ part: "prices" }}>Add a price</Link> where the table has none.
        </p>
      )}

      {total.usd > 0 && <Section title={`Dollars by ${overTime.step === DAY ? "day" : "hour"}${overTime.told ? ` and ${named(field)}` : ""}`} fine={`${overTime.step === DAY ? "Days of UTC. " : ""}${overTime.told ? "" : `There are too many values of ${named(field)} to tell apart here. `}A bar opens its calls.`} className="mt-4!" tools={<By by={by} choose={(next) => void navigate({ search: (before) => ({ ...before, by: next === "model" ? undefined : next }), replace: true, resetScroll: false })} />}>
        {overTime.error ? <ProblemNote error={overTime.error} /> : overTime.cells && <Chart cells={overTime.cells} field={field} step={overTime.step} from={overTime.from} to={overTime.to} />}
      </Section>}

      {by === "day" ? (
        <Section title="By day"><Days cells={overTime.cells ?? []} step={overTime.step} /></Section>
      ) : (
        <div className="columns c2">
          <Section title="By model">{models.total ? <SpendTable field="model" rows={rows} total={total} /> : <Waiting />}</Section>
          <Section title={`By ${field === "model" ? "step" : named(field)}`}>{other.rows && other.total ? <SpendTable field={field === "model" ? "step" : field} rows={other.rows} total={other.total} /> : other.error ? <ProblemNote error={other.error} /> : <Waiting />}</Section>
        </div>
      )}

      {drawn && models.rows && <WhatIf range={range} />}
      {drawn && models.rows && <PriceChanges range={range} models={rows} />}
      <Twin
        path="/api/v1/aggregate"
        query={{ measure: ["sum(cost_usd)", "count"], by: [field], filter: during(range) }}
      />
      <p className="fine noprint">
        <button type="button" className="plain link" onClick={() => save(`costs-by-${named(field)}.csv`, csv([named(field), "usd", "calls", "unpriced calls", "tokens", "usd before"], ((field === "model" ? rows : other.rows) ?? []).map((row) => [row.value, row.usd, row.calls, row.unpriced, row.tokens, row.before])))}>the table as CSV</button>
        {" · "}Costs are computed when a call arrives, from the price of its day, and keep the row; a trace shows the arithmetic.
      </p>
    </>
  );
}

const named = (by: string) => (by === "metadata.tags" ? "tag" : by.replace("metadata.", ""));

/** What spend is told apart by: a field, or an attribute that the application gives its spans. */
function By({ by, choose }: { by: ByField; choose: (by: ByField) => void }) {
  const own = (GROUPS as readonly string[]).includes(by) ? "" : by.replace("metadata.", "");
  const take = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget).get("key")).trim();
    if (key) choose(`metadata.${key}`);
  };
  return (
    <span className="flex max-w-full flex-wrap items-center gap-2">
      <Choice<string> name="Told apart by" value={by} options={GROUPS.map((one) => [one, named(one)] as const)} choose={(next) => choose(next as ByField)} />
      <form onSubmit={take}><input key={own} name="key" aria-label="An attribute of your own" placeholder="own attribute" defaultValue={own} className="w-28" /></form>
    </span>
  );
}

function Chart({ cells, field, step, from, to }: { cells: readonly Cell[]; field: string; step: number; from: number; to: number }) {
  const sums = new Map<string | null, number>();
  for (const { value, usd } of cells) sums.set(value, (sums.get(value) ?? 0) + usd);
  const ranked = [...sums].filter(([, usd]) => usd > 0).sort((one, other) => other[1] - one[1]).map(([value]) => value);
  const kept = ranked.slice(0, ranked.length > MANY ? MANY - 1 : MANY);
  const names = [...kept.map((value) => value ?? `no ${named(field)}`), ...(ranked.length > MANY ? [`${ranked.length - kept.length} others`] : [])];
  const times = [...new Set(cells.map(({ at }) => at))];
  const bars = times.map((at) => {
    const parts = names.map((_, series) => ({ series, value: 0 }));
    for (const cell of cells) {
      if (cell.at !== at || cell.usd === 0) continue;
      const known = kept.indexOf(cell.value);
      const part = parts[known < 0 ? names.length - 1 : known];
      if (part) part.value += cell.usd;
    }
    const sum = parts.reduce((all, { value }) => all + value, 0);
    const said = parts.filter(({ value }) => value > 0).map(({ series, value }) => `${names[series]} ${money(value)}`).join(", ");
    const href = router.buildLocation({ to: "/traces", search: { tab: "spans", filter: ["cost_usd>0"], range: `${new Date(at / 1e6).toISOString()}..${new Date((at + step) / 1e6).toISOString()}` } } as never).href;
    return { at, parts, title: `${step === DAY ? day(at) : absolute(at)}: ${money(sum)}${names.length > 1 ? ` (${said})` : ""}`, href };
  });
  return <Bars name={`Spend by ${step === DAY ? "day" : "hour"} and ${named(field)}`} bars={bars} names={names} from={from} to={to} step={step} height={280} label={money} tick={(at) => tick(at, to - from)} />;
}

function Days({ cells, step }: { cells: readonly Cell[]; step: number }) {
  const sums = new Map<number, number>();
  for (const { at, usd } of cells) sums.set(at, (sums.get(at) ?? 0) + usd);
  return (
    <table className="tight max-w-[480px]">
      <thead><tr><th>{step === DAY ? "day" : "hour"}</th><th className="num">spend</th></tr></thead>
      <tbody>{[...sums].sort((one, other) => other[0] - one[0]).map(([at, usd]) => <tr key={at}><th scope="row">{step === DAY ? day(at) : absolute(at)}</th><td className="num">{money(usd)}</td></tr>)}</tbody>
    </table>
  );
}

function Nothing({ label }: { label: string }) {
  return (
    <>
      <Answer>Nothing was spent {inTime(label)}.</Answer>
      <Section title="What will be here">
        <Empty title="Dollars by model, step, user and day, from the first traced call of a model that has a price; and what the same tokens would cost on another model, or at the prices of another day.">
          <Code text={"import boxscore\n\nboxscore.init(\"" + location.origin + "\")      # and calls of OpenAI and Anthropic clients are traced"} />
        </Empty>
      </Section>
    </>
  );
}
