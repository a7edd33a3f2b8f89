import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { Time } from "@/components/Values";
import { counted, duration, money } from "@/lib/format";
import { Said } from "./Said";

const MESSAGES = 60;

/** What was said in a trace. */
export function Conversation({ trace, open }: { trace: string; open: (span: string) => void }) {
  const { data, error, refetch } = useAsk("/api/v1/conversation", { params: { query: { trace_id: trace } } });
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <Waiting what="Reading what was said" />;
  return (
    <>
      {data.turns.map((turn) => <Messages key={turn.trace_id} said={turn.said} open={open} />)}
      {data.turns.every(({ said }) => said.length === 0) && <p className="fine py-2">Nothing was said that can be read: the waterfall has what came.</p>}
      {data.cut && <p className="fine py-2">More was said than fits here: the waterfall has all spans.</p>}
    </>
  );
}

/** A turn of a session: its trace, what it took and cost, and what was said in it first. */
export function Turn({ turn, number }: { turn: Schemas["Turn"]; number: number }) {
  return (
    <section className="section" aria-label={`Turn ${number}`}>
      <div className="head">
        <h2>Turn {number}</h2>
        <p className="fine">
          <Link to="/traces/$id" params={{ id: turn.trace_id }}>{visible(turn.name)}</Link> · <Time at={turn.start_ns} /> ago · {counted(turn.spans, "span")}
          {turn.errors > 0 && <span className="bad nw"> · <Mark state="bad" /> {counted(turn.errors, "error")}</span>}
        </p>
        <span className="text-data nw">{turn.duration_ns === null ? "" : duration(turn.duration_ns / 1e9)}{turn.cost_usd !== null && <> · <b title={`$${turn.cost_usd}`}>{money(turn.cost_usd)}</b></>}</span>
      </div>
      <Messages said={turn.said} trace={turn.trace_id} />
      {turn.said.length === 0 && <p className="fine py-1">Nothing new was said in it that can be read.</p>}
    </section>
  );
}

function Messages({ said, open, trace }: { said: Schemas["Turn"]["said"]; open?: (span: string) => void; trace?: string }) {
  const [shown, setShown] = useState(MESSAGES);
  return (
    <>
      {said.slice(0, shown).map((one, at) => {
        const isNew = one.span_id !== said[at - 1]?.span_id;
        const where = `${one.model ?? one.name}`;
        return (
          <div key={at}>
            {isNew && (
              <p className="fine flex gap-2 pt-3">
                {open ? <button type="button" className="plain link" onClick={() => open(one.span_id)}>{visible(one.name)}</button> : trace && <Link to="/traces/$id" params={{ id: trace }} search={{ span: one.span_id }}>{visible(one.name)}</Link>}
                {where !== one.name && <span>{visible(where)}</span>}
                <span className="flex-1" />
                <span className="nw">{one.duration_ns !== null && duration(one.duration_ns / 1e9)}{one.cost_usd !== null && ` · ${money(one.cost_usd)}`}</span>
              </p>
            )}
            <Said message={one.message} dim={one.message.role === "system"} />
          </div>
        );
      })}
      {said.length > shown && <button type="button" className="plain link fine py-2" onClick={() => setShown(shown + 200)}>{counted(said.length - shown, "more message")}</button>}
    </>
  );
}
