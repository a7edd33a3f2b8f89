import { Link } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { Code } from "@/components/Copy";
import { Section } from "@/components/Section";
import { snippets } from "./snippets";

/** How each kind of client sends its first trace here. */
export function Connect() {
  const { data } = useSession();
  const asks = data?.kind !== "local";
  const found = snippets(location.origin, asks ? "YOUR_KEY" : undefined);
  const words: Record<string, string> = {
    Python: "Calls of installed clients (OpenAI, Anthropic, …) are traced without a line more.",
    OpenTelemetry: "Any language, any framework: the conventions of GenAI, OpenInference, Traceloop and others are read.",
    TypeScript: "By OpenTelemetry’s own SDK.",
    curl: "To see that it works.",
  };
  return (
    <>
      {asks && <p className="mt-4 text-data">This server asks who calls. <Link to="/settings/$part" params={{ part: "keys" }}>Make a key</Link> with the right <code>ingest</code>, and put it where <code>YOUR_KEY</code> stands.</p>}
      <div className="columns c2">
        {found.map(({ name, text }) => <Section key={name} title={name} fine={words[name]}><Code text={text} label={`What sends a trace by ${name}`} /></Section>)}
      </div>
    </>
  );
}
