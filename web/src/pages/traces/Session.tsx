import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { asProblem } from "@/api/problem";
import { useAsk } from "@/api/query";
import { ProblemNote } from "@/components/Problem";
import { Answer, Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { Twin } from "@/components/Twin";
import { Time } from "@/components/Values";
import { count, counted, money } from "@/lib/format";
import { useTitle } from "@/lib/title";
import { Turn } from "./Conversation";
import { session } from "./routes";
import "./traces.css";

const TURNS = 20;

/** A conversation, turn by turn, with what each took and cost. */
export function Session() {
  const { id } = session.useParams();
  useTitle(`Session ${id}`);
  const { data, error, refetch } = useAsk("/api/v1/conversation", { params: { query: { session: id } } });
  const [shown, setShown] = useState(TURNS);
  const totals = useMemo(() => {
    const turns = data?.turns ?? [];
    const costs = turns.flatMap(({ cost_usd }) => (cost_usd === null ? [] : [Number(cost_usd)]));
    return {
      errors: turns.reduce((sum, { errors }) => sum + errors, 0),
      tokens: turns.reduce((sum, { input_tokens, output_tokens }) => sum + (input_tokens ?? 0) + (output_tokens ?? 0), 0),
      cost: costs.length ? costs.reduce((sum, usd) => sum + usd, 0) : null,
    };
  }, [data]);
  if (error && asProblem(error).status !== 404) return <ProblemNote error={error} retry={refetch} />;
  if (error) return <><Answer>No session {visible(id)} is here.</Answer><p className="pt-2 text-data ink2">It is not in this project, or retention removed it. <Link to="/traces" search={{ tab: "sessions" }}>All sessions</Link></p></>;
  if (!data) return <Waiting what="Reading the conversation" />;
  const { turns } = data;
  return (
    <>
      <p className="fine pt-4"><Link to="/traces" search={{ tab: "sessions" }}>Sessions</Link> / <code>{visible(id)}</code></p>
      <h1 className="say sm pt-1">
        <b>{counted(turns.length, "turn")}</b>{totals.cost !== null && <>, <b>{money(totals.cost)}</b></>}, {totals.errors ? <b className="bad">{counted(totals.errors, "error")}</b> : "no errors"}{totals.tokens > 0 && <>, {count(totals.tokens)} tokens</>}.
      </h1>
      <p className="fine">{turns.length > 1 && <>from <Time at={turns[0]?.start_ns} /> to </>}<Time at={turns.at(-1)?.start_ns} /> ago</p>
      <div className="max-w-[920px]">
        {turns.slice(0, shown).map((turn, at) => <Turn key={turn.trace_id} turn={turn} number={at + 1} />)}
        {turns.length > shown && <button type="button" className="plain link fine py-2" onClick={() => setShown(shown + TURNS)}>{counted(turns.length - shown, "more turn")}</button>}
        {data.cut && <p className="fine py-2">The conversation goes on beyond what fits here: its traces have all of it.</p>}
      </div>
      <Twin path="/api/v1/conversation" query={{ session: id }} />
    </>
  );
}
