import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useDeferredValue, useState } from "react";
import { type Schemas, api, ask } from "@/api/client";
import { stale, useAsk } from "@/api/query";
import { useMay } from "@/api/session";
import { type Column, DataTable } from "@/components/DataTable";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Twin } from "@/components/Twin";
import { compact } from "@/lib/format";
import { day } from "@/lib/time";
import { setting } from "./routes";

type Price = Schemas["Price"];

const perMillion = (price: Price, kind: string) => {
  const found = price.rates.find((rate) => rate.kind === kind);
  return found ? Number(((Number(found.usd) * 1e6) / found.per).toPrecision(6)) : undefined;
};
const rate = (kind: string, head: string): Column<Price> => ({ id: kind, head, num: true, sort: (price) => perMillion(price, kind), cell: (price) => perMillion(price, kind) ?? <span className="mut">·</span> });

const COLUMNS: readonly Column<Price>[] = [
  { id: "model", head: "model", row: true, cell: ({ model, deprecated }) => <>{model}{deprecated && <span className="mut"> deprecated</span>}</> },
  { id: "provider", head: "provider", cell: ({ provider }) => provider ?? <span className="mut">any</span> },
  rate("input", "$ per M in"),
  rate("output", "out"),
  rate("cache_read", "cached in"),
  { id: "window", head: "context", num: true, className: "hide-s", sort: ({ context_window }) => context_window, cell: ({ context_window }) => (context_window ? compact(context_window) : <span className="mut">·</span>) },
  { id: "from", head: "holds from", className: "lead", cell: ({ from, hours }) => <>{from ? day(from) : <span className="mut">always</span>}{hours && <span className="mut">, {hours.join(" to ")} UTC</span>}</> },
  { id: "source", head: "from the", className: "hide-s fine", cell: ({ source, line }) => (source === "own" ? `own prices, line ${line}` : source) },
];

/** The price book: the built-in prices by date, and the user's own before them. */
export function Prices() {
  const { text = "" } = setting.useSearch();
  const navigate = useNavigate();
  const may = useMay("write");
  const found = useAsk("/api/v1/prices", { params: { query: { text: useDeferredValue(text), limit: 50 } } }, { keep: true });
  const own = useAsk("/api/v1/prices/own");
  return (
    <>
      <Section title="Your own prices" fine={own.data ? `They come before the built-in ones. They are the rows of ${own.data.file}, which you may edit too.` : ""}>
        {own.error ? <ProblemNote error={own.error} retry={own.refetch} /> : own.data && <Own own={own.data} may={may} />}
      </Section>
      <Section
        title={found.data ? `Prices of ${found.data.book}` : "Prices"}
        fine="Those that hold today; each cost keeps the row that it was computed from."
        tools={<input type="search" aria-label="Find a model" placeholder="model or provider" value={text} onChange={(event) => void navigate({ to: "/settings/$part", params: { part: "prices" }, search: { text: event.target.value || undefined }, replace: true } as never)} />}
      >
        {found.error ? <ProblemNote error={found.error} retry={found.refetch} /> : !found.data ? <Waiting /> : found.data.items.length === 0 ? <Empty title={`No model with “${text}” in its name has a price. Add one of your own above.`} /> : <DataTable name="Prices" rows={found.data.items} columns={COLUMNS} rowKey={({ ref }) => ref} keys virtual={false} />}
        {found.data?.cursor && <p className="fine mt-2">More than these: write a part of the name above.</p>}
      </Section>
      <Twin path="/api/v1/prices" query={{ text, limit: 1000 }} />
    </>
  );
}

function Own({ own, may }: { own: Schemas["OwnPrices"]; may: boolean }) {
  const [error, setError] = useState<unknown>();
  const remove = async (price: Price) => {
    if (price.line === null) return;
    try {
      await ask(api.DELETE("/api/v1/prices/own/{line}", { params: { path: { line: price.line }, query: { version: own.version } } }));
      notify(`Removed the price of ${price.model}. Costs that are kept stay.`);
    } catch (problem) {
      notify(problem instanceof Error ? problem.message : String(problem));
    }
    stale("/api/v1/prices");
  };
  const add = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const field = (name: string) => String(new FormData(form).get(name) ?? "").trim();
    const rates = Object.fromEntries(["input", "output", "cache_read"].filter((kind) => field(kind)).map((kind) => [kind, field(kind)]));
    setError(undefined);
    try {
      await ask(api.POST("/api/v1/prices/own", { body: { model: field("model"), provider: field("provider") || undefined, from: field("from") || undefined, usd_per_mtok: rates } }));
      form.reset();
      stale("/api/v1/prices");
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      {own.rows.length === 0 ? (
        <Empty title="None. A model of your own, a negotiated price, a provider that is not in the table: one row each." />
      ) : (
        <DataTable name="Own prices" rows={own.rows} rowKey={({ ref }) => ref} columns={[...COLUMNS.slice(0, 7), { id: "remove", head: "", num: true, cell: (price) => may && <button type="button" onClick={() => void remove(price)}>Remove</button> }]} />
      )}
      {may && (
        <form className="mt-3 flex flex-wrap items-end gap-2 text-data" onSubmit={(event) => void add(event)}>
          <label className="grid gap-1">Model <input name="model" required placeholder="acme-large" /></label>
          <label className="grid gap-1">Provider <input name="provider" placeholder="any" className="w-28" /></label>
          <label className="grid gap-1">$ per M in <input name="input" inputMode="decimal" className="w-20" required /></label>
          <label className="grid gap-1">out <input name="output" inputMode="decimal" className="w-20" /></label>
          <label className="grid gap-1">cached in <input name="cache_read" inputMode="decimal" className="w-20" /></label>
          <label className="grid gap-1">from <input name="from" type="date" /></label>
          <button type="submit">Add</button>
        </form>
      )}
      {error !== undefined && <ProblemNote error={error} />}
    </>
  );
}
