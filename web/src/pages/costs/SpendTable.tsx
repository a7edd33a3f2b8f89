import { Link } from "@tanstack/react-router";
import { AREAS, Share } from "@/components/Charts";
import { type Column, DataTable } from "@/components/DataTable";
import { Money } from "@/components/Values";
import { count, money, percent } from "@/lib/format";
import { type Spend, filterOf } from "./spend";

/** Spend by the values of a field; each opens its calls. */
export function SpendTable({ field, rows, total }: { field: string; rows: readonly Spend[]; total: Spend }) {
  const most = Math.max(...rows.map(({ usd }) => usd), 1e-12);
  const compared = rows.some(({ before }) => before);
  const columns: Column<Spend>[] = [
    { id: "value", head: field.replace("metadata.", ""), row: true, className: "clip", cell: ({ value }) => <Link to="/traces" search={{ tab: "spans", filter: value === null && field.startsWith("metadata.") ? undefined : [filterOf(field, value)] }} title={value ?? undefined}>{value ?? `no ${field === "metadata.tags" ? "tag" : field.replace("metadata.", "")}`}</Link> },
    { id: "bar", head: "", width: "76px", className: "hide-s", cell: (row) => <Share width={64} of={row.usd / most} color={AREAS[Math.min(rows.indexOf(row), AREAS.length - 1)]} /> },
    { id: "usd", head: "spend", num: true, width: "72px", sort: ({ usd }) => usd, cell: ({ usd, calls, unpriced }) => (calls > 0 && calls === unpriced ? <span className="mut">no price</span> : <b>{money(usd)}</b>) },
    { id: "share", head: "share", num: true, width: "56px", cell: ({ share }) => (total.usd === 0 ? <span className="mut">·</span> : share > 0 && share < 0.01 ? "< 1 %" : percent(share, 0)) },
    ...(compared ? [{ id: "before", head: "change", num: true, width: "72px", className: "hide-s", cell: ({ usd, before }: Spend) => <Change now={usd} before={before} /> }] : []),
    { id: "calls", head: "calls", num: true, width: "64px", sort: ({ calls }) => calls, cell: ({ calls, unpriced }) => <span title={unpriced ? `${count(unpriced)} of them without a price` : undefined}>{count(calls)}{unpriced ? "*" : ""}</span> },
    { id: "each", head: "per 1,000", num: true, width: "80px", sort: ({ usd, calls, unpriced }) => (calls > unpriced ? usd / (calls - unpriced) : null), cell: ({ usd, calls, unpriced }) => (calls > unpriced ? money((usd / (calls - unpriced)) * 1000) : <span className="mut">·</span>) },
  ];
  return (
    <DataTable
      name={`Spend by ${field}`}
      rows={rows}
      columns={columns}
      rowKey={({ value }) => value ?? ""}
      className="table-fixed"
      foot={<tr><th scope="row">all</th><td className="hide-s" /><td className="num"><Money usd={total.usd} /></td><td className="num">{total.usd > 0 ? "100 %" : ""}</td>{compared && <td className="num hide-s"><Change now={total.usd} before={total.before} /></td>}<td className="num">{count(total.calls)}</td><td className="num">{total.calls > total.unpriced ? money((total.usd / (total.calls - total.unpriced)) * 1000) : ""}</td></tr>}
    />
  );
}

function Change({ now, before }: { now: number; before?: number }) {
  if (!before) return <span className="mut">·</span>;
  const change = now / before - 1;
  if (Math.abs(change) < 0.005) return <span className="mut">as before</span>;
  return <span className="mut font-normal" title={`${money(before)} in the time before`}>{change > 0 ? "▴" : "▾"} {change > 9.99 ? `× ${Math.round(change + 1)}` : percent(Math.abs(change), 0)}</span>;
}
