import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Dialog } from "@/components/Dialog";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { visible } from "@/components/Text";
import { bytes, count, counted } from "@/lib/format";
import { NAME } from "./Datasets";
import { line, short } from "./rows";
import { exampleOf, importFile, lookAt } from "./writes";

type Looked = Awaited<ReturnType<typeof lookAt>>;

/** A file before it becomes a version: what it holds, what is wrong with it by line, what it changes. */
export function Import({ file, name: given, known = [], close }: { file: File; name?: string; known?: readonly string[]; close: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState(given ?? suggested(file.name));
  const [how, setHow] = useState<"replace" | "add">("replace");
  const [looked, setLooked] = useState<Looked>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const named = new RegExp(`^${NAME}$`).test(name);
  useEffect(() => {
    if (!named) return;
    let gone = false;
    setProblem(undefined);
    lookAt(name, file, how === "add").then((found) => { if (!gone) setLooked(found); }, (error: unknown) => { if (!gone) setProblem(error); });
    return () => { gone = true; };
  }, [file, name, how, named]);
  const run = async () => {
    setBusy(true);
    try {
      await importFile(name, file, how === "add");
      close();
      if (!given) await navigate({ to: "/datasets/$name", params: { name } });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const wrong = looked?.looked.problems ?? [];
  return (
    <Dialog open close={close} title={<>Import {visible(file.name)} <span className="fine">{bytes(file.size)}</span></>} wide>
      <div className="grid gap-3 text-data">
        <div className="flex flex-wrap items-center gap-3">
          {!given && <label className="flex items-center gap-2">into <input className="w-48" pattern={NAME} value={name} list="known-datasets" aria-label="Name of the dataset" onChange={(event) => setName(event.target.value)} /></label>}
          <datalist id="known-datasets">{known.map((one) => <option key={one} value={one} />)}</datalist>
          <Choice name="What happens to the rows that are there" value={how} options={[["replace", "In place of all rows"], ["add", "Beside the rows"]]} choose={setHow} />
        </div>
        {!named && <p className="bad">A name has letters a to z, digits, - and _.</p>}
        {problem !== undefined && <ProblemNote error={problem} />}
        {!looked && problem === undefined && named && <Waiting what="Reading the file" />}
        {wrong.length > 0 && (
          <div role="alert" className="border-l-2 border-bad bg-sunk px-3 py-2">
            <p>Nothing is imported: {wrong.length === 20 ? "at least " : ""}{counted(wrong.length, "problem")}. Correct the file, and choose it again.</p>
            <ul className="mt-1 max-h-48 overflow-y-auto">
              {wrong.map((one, at) => <li key={at} className="txt">{visible(one.message)}</li>)}
            </ul>
          </div>
        )}
        {looked?.changes && (
          <p>
            <b>{counted(looked.looked.rows, "row")}</b>: {count(looked.changes.added)} come, {count(looked.changes.changed)} change
            {looked.changes.removed > 0 && <>, <span className="bad">{count(looked.changes.removed)} that are there now go</span></>}. Versions before stay as they are.
          </p>
        )}
        {looked && looked.looked.examples.length > 0 && (
          <div className="max-h-[36vh] overflow-auto">
            <table className="tight" aria-label="First rows of the file">
              <thead><tr><th>id</th><th>inputs</th><th className="hide-s">reference</th></tr></thead>
              <tbody>
                {looked.looked.examples.map(exampleOf).map((one) => (
                  <tr key={one.id}><td className="mono nw">{visible(one.id.slice(0, 20))}</td><td className="clip w-[60%]">{visible(line(one.inputs))}</td><td className="clip hide-s">{visible(short(one.reference))}</td></tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <div className="flex justify-end gap-2">
          <button type="button" onClick={close}>Cancel</button>
          <button type="button" className="go" disabled={!looked?.changes || busy || !named} onClick={() => void run()}>{busy ? "Importing …" : "Import"}</button>
        </div>
      </div>
    </Dialog>
  );
}

const suggested = (file: string) => file.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[-_]+|-+$/g, "").slice(0, 100) || "dataset";
