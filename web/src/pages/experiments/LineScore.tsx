import { Link } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { VariantMark } from "./Marks";

/** One row per variant, one column per metric; under each number its interval. It turns where the page is narrow, or
 *  where there are more columns than a page is wide. */
export function LineScore({ columns, lines, name = "Line score" }: { columns: readonly Schemas["LineColumn"][]; lines: readonly Schemas["VariantLine"][]; name?: string }) {
  const also = lines.length > 2;
  return (
    <div className={columns.length > 10 ? "scroll" : ""}>
      <table className={`line ${columns.length > 10 ? "turned" : ""}`} style={{ "--rows": columns.length + 1, "--lines": lines.length } as React.CSSProperties}>
        <caption className="hidden-text">{name}: one row per variant</caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            {columns.map(({ key, title, opens, calibration }) => (
              <th key={key} scope="col" className={`num ${opens ? "grp" : ""}`}>
                <bdi>{title}</bdi>
                {calibration && <span className="badge">{calibration}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name: variant, model, role, place, run, cells }) => (
            <tr key={place} className={also && place > 1 && role === "also run" ? "also" : ""}>
              <th scope="row">
                <VariantMark place={place} /> {run ? <Link to="/runs/$id" params={{ id: run }} search={{}}><bdi>{variant}</bdi></Link> : <bdi>{variant}</bdi>}
                <small>{[role, model && model !== variant ? model : ""].filter(Boolean).join(" · ")}</small>
              </th>
              {cells.map(({ text, under, best }, at) => (
                <td key={columns[at]?.key ?? at} className={`num ${best ? "best" : ""} ${columns[at]?.opens ? "grp" : ""} ${text ? "" : "lack"}`}>
                  {text || "not recorded"}
                  <small>{under || " "}</small>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
