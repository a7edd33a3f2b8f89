import { asProblem } from "@/api/problem";
import { Mark } from "@/components/Mark";
import { count } from "@/lib/format";
import { toggled, writeCondition } from "./filter";
import { type Asked, useFacet } from "./questions";

const OF_TRACES = [["error", "Status"], ["name", "Name"], ["application", "Application"], ["model", "Model"], ["environment", "Environment"], ["release", "Release"], ["variant", "Variant"], ["user", "User"]] as const;
const OF_SPANS = [["error", "Status"], ["operation", "Operation"], ["step", "Step"], ["model", "Model"], ["provider", "Provider"], ["prompt", "Prompt"], ["name", "Name"], ["application", "Application"]] as const;
const INSIDE = [["step", "Steps inside"], ["model", "Models inside"]] as const;

/** The most frequent values of the fields that tell rows apart, each a condition to set or take away. Beside traces also
 *  those of the spans inside, which lead there. */
export function Facets({ asked, set, inside, shown }: { asked: Asked; set: (filter: readonly string[]) => void; inside: (filter: readonly string[]) => void; shown: boolean }) {
  const fields = asked.tab === "spans" ? OF_SPANS : OF_TRACES;
  const spans: Asked = { ...asked, tab: "spans", filter: [] };
  return (
    <div className={`facets ${shown ? "shown" : ""}`} role="group" aria-label="Facets">
      {fields.map(([field, label]) => <Facet key={field} field={field} label={label} asked={asked} set={set} />)}
      {asked.tab === "traces" && INSIDE.map(([field, label]) => <Facet key={label} field={field} label={label} asked={spans} set={inside} known />)}
    </div>
  );
}

function Facet({ field, label, asked, set, known }: { field: string; label: string; asked: Asked; set: (filter: readonly string[]) => void; known?: boolean }) {
  const { data, error } = useFacet(field, asked);
  if (error && asProblem(error).code === "query_too_large") {
    return <div className="facet"><h2>{label}</h2><p className="fine">too many to count here: narrow the time, or write {field}=…</p></div>;
  }
  const found = data ?? [];
  const values = known ? found.filter(({ value }) => value !== null) : [...found.filter(({ value }) => value !== null), ...found.filter(({ value }) => value === null)];
  if (!values.some(({ value }) => value !== null)) {
    // many instrumentations tell only which model they asked for
    return field === "model" && asked.tab === "spans" && data !== undefined ? <Facet field="model_asked" label={label.replace("Model", "Asked model")} asked={asked} set={set} known={known} /> : null;
  }
  const most = Math.max(...values.map(({ spans }) => spans));
  return (
    <div className="facet">
      <h2>{label}</h2>
      {values.map(({ value, spans }) => {
        const condition = writeCondition({ field, operator: "=", value: value ?? "" });
        const name = field === "error" ? (value === "true" ? "error" : "ok") : (value ?? `no ${label.toLowerCase()}`);
        return (
          <button key={value ?? "\0"} type="button" aria-pressed={asked.filter.includes(condition)} title={name} onClick={() => set(toggled(asked.filter, condition))}>
            <i style={{ width: `${Math.max(0.5, (100 * spans) / most)}%` }} />
            <span className={`clip ${value === null ? "mut" : ""}`}>{field === "error" && value === "true" && <><Mark state="bad" /> </>}{name}</span>
            <span>{count(spans)}</span>
          </button>
        );
      })}
    </div>
  );
}
