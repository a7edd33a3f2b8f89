import { useState } from "react";
import type { Schemas } from "@/api/client";
import { visible } from "@/components/Text";
import { count } from "@/lib/format";

type Message = Schemas["Message"];
type Part = Message["parts"][number];

const FOLDED = 420;
const LONG = 20_000;

/** A message: who at the left, what at the right. All of it is text, whatever is in it. */
export function Said({ message, fine, dim }: { message: Message; fine?: React.ReactNode; dim?: boolean }) {
  return (
    <div className="msg">
      <span className="role">{visible(message.role ?? "?")}{fine && <><br />{fine}</>}</span>
      <div className={`grid min-w-0 gap-1 ${dim ? "mut" : ""}`}>
        {message.parts.map((part, at) => <PartOf key={at} part={part} />)}
      </div>
    </div>
  );
}

function PartOf({ part }: { part: Part }) {
  switch (part.type) {
    case "text":
      return <Folded text={part.text} />;
    case "reasoning":
      return <div className="border-l-2 border-rule pl-3"><p className="fine">thinks</p><Folded text={part.text} className="ink2" /></div>;
    case "tool_call":
      return <div><p><b className="mono">→ {visible(part.name)}</b></p>{part.arguments !== null && part.arguments !== undefined && <Folded text={asText(part.arguments)} className="mono" />}</div>;
    case "tool_result":
      return <div><p className="mono mut">← {visible(part.name ?? "result")}</p><Folded text={part.text} /></div>;
    case "media":
      return <p className="mut">[{visible([part.kind, part.media_type, part.source].filter(Boolean).join(", "))}]</p>;
  }
}

/** A text of which the beginning is shown until the rest is asked for. */
export function Folded({ text, className = "", at = FOLDED }: { text: string; className?: string; at?: number }) {
  const [shown, setShown] = useState(at);
  const cut = text.length > shown * 1.25 ? lineEnd(text, shown) : text.length;
  return (
    <div className={`txt ${className}`} dir="auto">
      {visible(text.slice(0, cut))}
      {cut < text.length && <>{" "}<button type="button" className="plain link mut text-fine" onClick={() => setShown(shown === at ? LONG : shown + LONG)}>{count(text.length - cut)} more characters</button></>}
      {shown > at && text.length > at * 1.25 && <>{" "}<button type="button" className="plain link mut text-fine" onClick={() => setShown(at)}>less</button></>}
    </div>
  );
}

/** About so many characters, to the end of a word. */
function lineEnd(text: string, wanted: number): number {
  const space = text.lastIndexOf(" ", wanted);
  return space > wanted * 0.7 ? space : wanted;
}

/** JSON on indented lines; text as it is. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
