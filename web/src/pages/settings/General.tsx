import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useAsk } from "@/api/query";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Section, Waiting } from "@/components/Section";
import { Twin } from "@/components/Twin";
import { Time } from "@/components/Values";
import { bytes, count, counted, duration, percent } from "@/lib/format";

const facts = (rows: readonly (readonly [string, ReactNode])[]) => <dl className="facts">{rows.flatMap(([name, value]) => [<dt key={`${name} name`}>{name}</dt>, <dd key={name}>{value}</dd>])}</dl>;

/** The server: whether it is well, what it keeps, where and how long. */
export function General() {
  const settings = useAsk("/api/v1/settings", undefined, { every: 30_000 });
  const health = useAsk("/api/v1/health", undefined, { every: 5_000 });
  if (settings.error) return <ProblemNote error={settings.error} retry={settings.refetch} />;
  const found = settings.data;
  if (!found) return <Waiting />;
  const { disk, retention } = found;
  const well = health.data;
  return (
    <>
      <div className="columns c2">
        <Section title={well?.ready === false ? "Not taking spans now" : "Taking spans"} fine={well && <>for <Time at={well.started_at} /></>}>
          {facts([
            ["State", <>{well?.problems.length ? well.problems.map((problem) => <span key={problem} className="bad block"><Mark state="bad" /> {problem}</span>) : <span className="good"><Mark state="good" /> well</span>}</>],
            ["Spans stored since its start", count(well?.spans_stored ?? 0)],
            ["Waiting for the disk", counted(well?.spans_waiting ?? 0, "span")],
            ["Not searchable yet", counted(well?.search_lag ?? 0, "span")],
            ["Not in charts yet", counted(well?.rollup_lag ?? 0, "span")],
            ["Pages that listen", count(well?.streams_open ?? 0)],
            ["Version", `${found.version}, Python ${found.python}, ${found.system}`],
          ])}
        </Section>
        <Section title={`${bytes(disk.spans + disk.records)} stored, ${bytes(disk.free)} free`}>
          {facts([
            ["Spans", bytes(disk.spans)],
            ["Records", <>{bytes(disk.records)}{found.records && <span className="mut"> in {found.records}</span>}</>],
            ["Free on the disk", <>{bytes(disk.free)} of {bytes(disk.total)}; below {bytes(disk.reserve)} no spans are taken, so that deleting still works</>],
            ["Folder", found.home ? <code>{found.home}</code> : <span className="mut">told to who may administer</span>],
            ["Last backup", found.last_backup_at ? <><Time at={found.last_backup_at} /> ago</> : <span className="bad"><Mark state="bad" /> none known: <code>boxscore backup FOLDER</code></span>],
          ])}
        </Section>
      </div>
      <div className="columns c2">
        <Section title={retention.days === null && retention.gigabytes === null ? "Spans are kept for ever" : "Spans are kept for a time"} fine={<code>boxscore retain --help</code>}>
          {facts([
            ["For", retention.days === null ? "ever" : counted(retention.days, "day")],
            ["Up to", retention.gigabytes === null ? "what fits on the disk" : `${retention.gigabytes} GB`],
            ["Of plain traces", retention.sample >= 1 ? "all" : `${percent(retention.sample, 0)} after ${counted(retention.sample_days, "day")}; those with an error or a score stay`],
          ])}
        </Section>
        <Section title="Runs and prices">
          {facts([
            ["Calls at once", count(found.concurrency)],
            ["Answers are reused for", duration(found.reuse_max_age_s)],
            ["Price book", <Link key="prices" to="/settings/$part" params={{ part: "prices" }}>{found.prices}</Link>],
            ["Addresses", found.addresses.length ? found.addresses.join(", ") : "loopback alone; BOXSCORE_PUBLIC_URL names others"],
          ])}
        </Section>
      </div>
      <p className="fine mt-4">Settings are <code>BOXSCORE_*</code> variables, read when the server starts; <code>boxscore doctor</code> lists those that are set.</p>
      <Twin path="/api/v1/settings" others={[{ label: "health", href: "/api/v1/health" }]} />
    </>
  );
}
