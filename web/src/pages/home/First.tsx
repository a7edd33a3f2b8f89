import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { stale } from "@/api/query";
import { useLive } from "@/api/live";
import { Code } from "@/components/Copy";
import { Mark } from "@/components/Mark";
import { Answer, Section } from "@/components/Section";
import { Choice } from "@/components/Tabs";
import { snippets } from "../settings/snippets";

const BOX = `SHIP       precise answers 21.0 points more right (±4.3), costs $0.31 more per
           1,000, answers 0.1 s later at p50. One extra right answer costs
           0.15 cents.
────────────────────────────────────────────────────────────────────────────────
                        accuracy      $/1k     p50 s     p95 s
terse                       62.5     0.52*     0.61*      1.2*
                       57.9-66.9 0.50-0.54 0.57-0.66  1.1-1.3
precise                    83.5*      0.83      0.71       1.4
                       79.7-86.7 0.80-0.86 0.66-0.75  1.3-1.5
────────────────────────────────────────────────────────────────────────────────
differences  ◂ worse          better ▸          95 % interval          shown
accuracy                ·┊·      ├●┤     +21.0     16.7..25.3         better
exit 0  ship`;

/** The page of an empty project. It listens: with the first trace it becomes the other one. */
export function First() {
  const clients = snippets(location.origin);
  const [client, setClient] = useState(clients[0]?.name ?? "");
  const listening = useLive("/api/v1/traces/live", {}, ["traces"], () => stale());
  return (
    <>
      <Answer>Nothing has happened yet. A trace takes three lines, a verdict two commands.</Answer>
      <div className="columns c2">
        <div>
          <Section title={<><b>1</b>&ensp;See one call</>} tools={<Choice name="Client" value={client} options={clients.map(({ name }) => name)} choose={setClient} />}>
            <Code text={clients.find(({ name }) => name === client)?.text ?? ""} label="What sends a first trace" />
            <p className="fine mt-2" role="status">
              <Mark state="open" /> {listening === "live" ? <>Listening at <code>{location.origin}/v1/traces</code>. The first trace appears here by itself.</> : "Waiting for the server, to listen."}
            </p>
          </Section>
          <Section title="What will be on this page">
            <table><tbody>
              <tr><th scope="row" className="nw">Needs you</th><td className="ink2">verdicts that wait for more examples, runs that stopped, calls without a price</td></tr>
              <tr><th scope="row" className="nw">Spend, quality, speed</th><td className="ink2">over time, with intervals, from the first trace on</td></tr>
              <tr><th scope="row" className="nw">What changed</th><td className="ink2">every comparison, new model, new release and price, beside what it did</td></tr>
            </tbody></table>
          </Section>
        </div>
        <Section title={<><b>2</b>&ensp;Decide one change</>}>
          <Code text={"boxscore init                    # a spec and its data, to edit\nboxscore compare boxscore.yaml   # says what it will spend"} label="Commands for a first verdict" />
          <p className="fine mt-2 mb-2">No key at hand? <code>boxscore demo</code> does the whole loop with a small model of its own. Datasets are made under <Link to="/datasets">Datasets</Link> too. The answer is a box score like this one; its exit code is 0, 1 or 3:</p>
          <pre className="mono overflow-x-auto leading-[17px] whitespace-pre text-ink-2" tabIndex={0} aria-label="Example of a box score in the terminal">{BOX}</pre>
        </Section>
      </div>
    </>
  );
}
