import type { Schemas } from "@/api/client";
import { Mark } from "@/components/Mark";
import { count } from "@/lib/format";
import { SpotLine, VariantMark, stateOf } from "./Marks";
import { useState } from "react";

const SHOWN = 12;

/** The primary metric by slice, worst first, on one scale. A row opens its examples. */
export function Slices({ table, chosen, choose }: { table: Schemas["SliceTable"]; chosen?: string; choose: (slice: string, value: string) => void }) {
  const [all, setAll] = useState(false);
  const lines = all ? table.lines : table.lines.slice(0, SHOWN);
  return (
    <>
      <table className="mid tight slices">
        <thead>
          <tr>
            <th scope="col">slice</th>
            <th scope="col" className="num">n</th>
            <th scope="col" className="num hide-s"><VariantMark place={0} /> before</th>
            <th scope="col" className="num hide-s"><VariantMark place={1} /> after</th>
            <th scope="col" className="plot lead"><span className="ways"><span>{table.ends[0]}</span><span className="hide-s">0 {table.unit}</span><span>{table.ends[1]}</span></span></th>
            <th scope="col" className="num">difference</th>
            <th scope="col" className="num hide-s">interval</th>
            <th scope="col" className="num hide-s">won</th>
            <th scope="col" className="num hide-s">lost</th>
            <th scope="col" className="lead"><span className="hide-s">shown</span></th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={`${line.slice} ${line.value}`} aria-current={chosen === `${line.slice} ${line.value}` ? "true" : undefined}>
              <th scope="row"><button type="button" className="plain link" onClick={() => choose(line.slice, line.value)}><bdi>{line.slice}: {line.value}</bdi></button></th>
              <td className="num">{count(line.examples)}</td>
              <td className="num hide-s">{line.before}</td>
              <td className="num hide-s">{line.after}</td>
              <td className="plot lead"><SpotLine spot={line.spot} words={`${line.difference} ${table.unit}, interval ${line.interval}`} /></td>
              <td className="num"><b>{line.difference}</b></td>
              <td className="num mut hide-s">{line.interval}</td>
              <td className="num hide-s">{count(line.wins)}</td>
              <td className="num hide-s">{count(line.losses)}</td>
              <td className="nw shown lead"><span className={line.spot.state}><Mark state={stateOf(line.spot.state)} /> <span className="word">{line.shown}</span></span></td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length < table.lines.length && <button type="button" className="plain link mut text-fine mt-2" onClick={() => setAll(true)}>{table.lines.length - lines.length} more</button>}
    </>
  );
}
