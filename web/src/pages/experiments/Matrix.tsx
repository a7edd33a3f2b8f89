import { getRouteApi } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { useAsk } from "@/api/query";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { Twin } from "@/components/Twin";
import { counted } from "@/lib/format";
import { Drawing } from "./Drawing";
import { LineScore } from "./LineScore";

const route = getRouteApi("/experiments");

/** Variants × metrics on one version of a dataset, and what they cost for what they give. */
export function Matrix({ dataset, version }: { dataset?: string; version?: string }) {
  const known = useAsk("/api/v1/matrix/datasets");
  const navigate = route.useNavigate();
  if (known.isPending) return <Waiting what="Looking what was run" />;
  if (known.error) return <ProblemNote error={known.error} retry={known.refetch} />;
  const finished = known.data.filter(({ runs }) => runs > 0);
  const chosen = finished.find((one) => (dataset === undefined || one.name === dataset) && (version === undefined || one.version === version)) ?? finished[0];
  if (!chosen) return <Empty title="Nothing has finished yet: the matrix shows every variant that was run on a dataset, each metric with its interval." />;
  return (
    <>
      <p className="mt-3">
        <label className="text-data">Dataset{" "}
          <select value={`${chosen.version} ${chosen.name}`} onChange={(event) => { const [next, ...name] = event.target.value.split(" "); void navigate({ search: (now) => ({ ...now, dataset: name.join(" "), version: next }) }); }}>
            {finished.map(({ name, version: one, runs }) => <option key={`${one} ${name}`} value={`${one} ${name}`}>{name} @ {one.slice(0, 8)} · {counted(runs, "run")}</option>)}
          </select>
        </label>
      </p>
      <Table of={chosen} />
    </>
  );
}

function Table({ of }: { of: Schemas["DatasetRuns"] }) {
  const query = { dataset: of.name, version: of.version };
  const found = useAsk("/api/v1/matrix", { params: { query } }, { keep: true });
  const navigate = route.useNavigate();
  if (found.isPending) return <Waiting what="Reading the runs" />;
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  const { columns, lines, frontier, examples, left_out } = found.data;
  return (
    <>
      <Section title={counted(lines.length, "variant")} fine={<>On {counted(examples, "example")}, each by its newest finished run. Under each number its 95 % interval. Intervals that overlap can still differ: a comparison pairs the examples. {left_out > 0 && `${left_out} older variants are left out.`}</>}>
        <LineScore columns={columns} lines={lines} name="Matrix" />
      </Section>
      <Section title={frontier.title}>
        {frontier.svg ? <div className="max-w-[560px]"><Drawing svg={frontier.svg} words={frontier.words} open={(place) => { const run = lines[place]?.run; if (run) void navigate({ to: "/runs/$id", params: { id: run }, search: {} }); }} /></div> : <Empty title={frontier.words} />}
      </Section>
      <Twin path="/api/v1/matrix" query={query} />
    </>
  );
}
