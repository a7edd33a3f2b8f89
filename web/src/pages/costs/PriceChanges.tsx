import { useQueries } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { asks } from "@/api/query";
import { Scroll, Section } from "@/components/Section";
import type { Range } from "@/lib/range";
import { day } from "@/lib/time";
import type { Spend } from "./spend";

type Price = Schemas["Price"];

/** The prices of models in use, each with the day from which it holds, and what it was before. */
export function PriceChanges({ range, models }: { range: Range; models: readonly Spend[] }) {
  const used = models.filter(({ value, usd }) => value !== null && usd > 0).slice(0, 12).map(({ value }) => value as string);
  const found = useQueries({ queries: used.map((model) => ({ ...asks("/api/v1/prices/{model}", { params: { path: { model } } }), staleTime: 600_000, retry: false })) });
  const rows = used.flatMap((model, at) => steps(model, found[at]?.data?.history ?? []));
  rows.sort((one, other) => (other.now.from ?? "").localeCompare(one.now.from ?? "") || one.model.localeCompare(other.model));
  if (rows.length === 0) return null;
  const inRange = (from: string | null) => from !== null && Date.parse(from) * 1e6 >= range.startNs;
  return (
    <Section title="Prices of models in use" fine="Each call was priced by the row of its day. In bold what changed in the time above." id="prices">
      <Scroll name="Prices of models in use">
        <table className="tight">
          <thead><tr><th>from</th><th>model</th><th className="num">$ per M in</th><th className="num">out</th><th className="num">cached in</th><th className="lead">source</th></tr></thead>
          <tbody>
            {rows.slice(0, 30).map(({ model, now, before }) => (
              <tr key={now.ref} className={inRange(now.from) ? "font-semibold" : ""}>
                <td className="nw">{now.from ? day(now.from) : <span className="mut">always</span>}</td>
                <th scope="row" className="font-normal">{model}{now.hours && <span className="mut"> {now.hours.join(" to ")} UTC</span>}</th>
                {(["input", "output", "cache_read"] as const).map((kind) => <td key={kind} className="num"><Step now={rate(now, kind)} before={before && rate(before, kind)} /></td>)}
                <td className="lead fine">{now.source === "own" ? `own prices, line ${now.line}` : now.source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}

function steps(model: string, history: readonly Price[]): { model: string; now: Price; before?: Price }[] {
  return history.map((now, at) => ({ model, now, before: history.slice(0, at).reverse().find(({ provider, hours }) => provider === now.provider && String(hours) === String(now.hours)) }));
}

function rate(price: Price, kind: string): string | undefined {
  const found = price.rates.find((one) => one.kind === kind);
  return found && String(Number(((Number(found.usd) * 1e6) / found.per).toPrecision(6)));
}

function Step({ now, before }: { now?: string; before?: string }) {
  if (now === undefined) return <span className="mut">·</span>;
  return <>{before !== undefined && before !== now && <span className="mut">{before} → </span>}{now}</>;
}
