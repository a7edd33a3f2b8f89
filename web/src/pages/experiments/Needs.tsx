import type { Schemas } from "@/api/client";
import { counted } from "@/lib/format";

/** How many more examples would decide it, and what they cost. */
export function Needs({ need }: { sheet: Schemas["Sheet"]; need: Schemas["Need"] }) {
  if (need.examples === null) return <div className="need"><p className="say sm">{need.note}</p></div>;
  return (
    <div className="need">
      <p className="say sm">
        {need.left > 0 ? `The dataset holds ${counted(need.left, "example")} that were not run.` : "The dataset is exhausted: all its examples were run."}
        <span className="fine">{need.note}</span>
      </p>
    </div>
  );
}
