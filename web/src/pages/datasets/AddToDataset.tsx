import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useAsk } from "@/api/query";
import { Dialog } from "@/components/Dialog";
import { Json } from "@/components/Json";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { notify } from "@/components/Toast";
import { count, counted } from "@/lib/format";
import { NAME } from "./Datasets";
import { type InputsFrom, type ReferenceFrom, type Spans, fromTraces } from "./writes";

const INPUTS: readonly (readonly [InputsFrom, string])[] = [["auto", "What fits"], ["variables", "Variables of the prompt"], ["messages", "All messages"], ["text", "Last message"]];
const REFERENCES: readonly (readonly [ReferenceFrom, string])[] = [["human", "Where a person called it right"], ["output", "Always"], ["none", "Never"]];

interface Props extends Spans {
  /** Ids of traces: each stands for its entry. */
  traces?: readonly string[];
  /** The most spans that conditions take. */
  limit?: number;
  name?: string;
  open?: boolean;
  close: () => void;
}

/** Makes examples of spans or traces: those with these ids, or all that the conditions take, newest first. */
export function AddToDataset({ open = true, ...props }: Props) {
  return open ? <Adding {...props} /> : null;
}

function Adding({ traces, spans = traces?.map((trace_id) => ({ trace_id })), filter, limit = 10_000, name: given, close }: Props) {
  const { data } = useAsk("/api/v1/datasets");
  const [name, setName] = useState(given ?? "");
  const [inputs, setInputs] = useState<InputsFrom>("auto");
  const [reference, setReference] = useState<ReferenceFrom>("human");
  const [seen, setSeen] = useState<Awaited<ReturnType<typeof fromTraces>>>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const named = new RegExp(`^${NAME}$`).test(name);
  const what = { spans, filter };
  const key = JSON.stringify([spans, filter]);
  useEffect(() => {
    let gone = false;
    const ask = setTimeout(() => {
      setProblem(undefined);
      const shown = Math.min(limit, 200);
      fromTraces(named ? name : "new", what, { inputs, reference }, true, shown).then((found) => { if (!gone) setSeen(found); }, (error: unknown) => { if (!gone) setProblem(error); });
    }, 250);
    return () => { gone = true; clearTimeout(ask); };
    // the same spans are the same question
  }, [name, named, inputs, reference, key, limit]);
  const run = async () => {
    setBusy(true);
    try {
      const { taken, version } = await fromTraces(name, what, { inputs, reference }, false, limit);
      notify(`${counted(taken.rows, "row")} added to ${name}${version ? `, version ${version.number}` : ""}.`);
      close();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const names = data?.items.map((one) => one.name) ?? [];
  const taken = seen?.taken;
  const partial = taken && taken.spans >= 200 && !spans?.length && limit > 200;
  return (
    <Dialog open close={close} title="Add to a dataset" wide>
      <form className="grid gap-3 text-data" onSubmit={(event) => { event.preventDefault(); void run(); }}>
        <label className="flex flex-wrap items-center gap-2">
          Dataset
          <input autoFocus className="w-56" required pattern={NAME} title="Letters a to z, digits, - and _" list="datasets-known" placeholder="a name, old or new" value={name} onChange={(event) => setName(event.target.value)} />
          <datalist id="datasets-known">{names.map((one) => <option key={one} value={one} />)}</datalist>
          <span className="fine">{name === "" ? "" : !named ? "Letters a to z, digits, - and _." : names.includes(name) ? "" : "It is new."}</span>
        </label>
        <div><p className="fine mb-1">Inputs are</p><Choice name="Inputs" value={inputs} options={INPUTS} choose={setInputs} /></div>
        <div><p className="fine mb-1">The answer becomes the reference</p><Choice name="Reference" value={reference} options={REFERENCES} choose={setReference} /></div>
        {problem !== undefined && <ProblemNote error={problem} />}
        {!taken && problem === undefined && <Waiting what="Reading the spans" />}
        {taken && (
          <p>
            {partial && "Of the newest 200: "}<b>{counted(taken.rows, "row")}</b>
            {taken.duplicates > 0 && <>, {count(taken.duplicates)} left out that ask what is there already</>}
            {taken.without_input > 0 && <>, {count(taken.without_input)} that tell no input</>}; {taken.references === 0 ? "none has a reference" : `${count(taken.references)} with a reference`}.
          </p>
        )}
        {seen?.examples[0] && <div className="max-h-[30vh] overflow-auto border-l-2 border-rule bg-sunk px-3 py-2" aria-label="The first of them"><Json value={seen.examples[0]} /></div>}
        <p className="fine">
          Texts come as they were traced: what they say of persons comes with them. A row keeps the ids of its trace, span and session, and no user; erasing the trace takes the row out of every version. <Link to="/datasets">All datasets</Link>
        </p>
        <div className="flex justify-end gap-2">
          <button type="button" onClick={close}>Cancel</button>
          <button className="go" disabled={!named || busy || !taken?.rows}>{busy ? "Adding …" : "Add"}</button>
        </div>
      </form>
    </Dialog>
  );
}
