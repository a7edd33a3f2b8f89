import type { Schemas } from "@/api/client";
import { Mark } from "@/components/Mark";
import { SpotLine, stateOf } from "./Marks";

/** One interval per metric around zero, the margin or guard shaded. Right is better in every row. */
export function Differences({ lines, level }: { lines: readonly Schemas["DifferenceLine"][]; level: string }) {
  return (
    <table className="mid">
      <thead>
        <tr>
          <th scope="col">metric</th>
          <th scope="col" className="plot"><span className="ways"><span>◂ worse</span><span>better ▸</span></span></th>
          <th scope="col" className="num">difference</th>
          <th scope="col" className="num hide-s">{level} % interval</th>
          <th scope="col" className="hide-s lead">asked for</th>
          <th scope="col"><span className="hide-s">shown</span></th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ key, label, per, role, difference, interval, asked, outcome, calibration, ends, band, spot }) => (
          <tr key={key}>
            <th scope="row"><bdi>{label}</bdi> <span className="fine">{[per, role].filter(Boolean).join(", ")}</span>{calibration && <span className="badge">{calibration}</span>}</th>
            <td className="plot">
              <div className="ends"><span>{ends[0]}</span><SpotLine spot={spot} band={band} words={`${label}: ${difference}, interval ${interval}`} /><span>{ends[1]}</span></div>
            </td>
            <td className="num"><b>{difference}</b></td>
            <td className="num mut hide-s">{interval}</td>
            <td className={`nw hide-s lead ${asked === "nothing" ? "mut" : ""}`}>{asked}</td>
            <td className="nw shown"><span className={spot.state === "plain" ? "ink2" : spot.state}><Mark state={stateOf(spot.state)} /> <span className="word">{outcome}</span></span></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
