import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, ask } from "@/api/client";
import { queries, stale, useAsk } from "@/api/query";
import { session as asked, useProject, useSession } from "@/api/session";
import { ProblemNote } from "@/components/Problem";
import { Section, Waiting } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Id, Time } from "@/components/Values";

/** Tenants: everything else belongs to exactly one. */
export function Projects() {
  const { data: session } = useSession();
  const current = useProject();
  const projects = useAsk("/api/v1/projects");
  const [error, setError] = useState<unknown>();
  if (projects.error) return <ProblemNote error={projects.error} retry={projects.refetch} />;
  if (!projects.data) return <Waiting />;
  const fresh = () => {
    stale("/api/v1/projects");
    void queries.invalidateQueries({ queryKey: asked.queryKey });
  };
  const change = async (id: string, body: { name?: string; archived?: boolean }) => {
    try {
      await ask(api.PATCH("/api/v1/projects/{project}", { params: { path: { project: id } }, body }));
      fresh();
    } catch (problem) {
      notify(problem instanceof Error ? problem.message : String(problem));
    }
  };
  const create = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    setError(undefined);
    try {
      await ask(api.POST("/api/v1/projects", { body: { id: String(fields.get("id")), name: String(fields.get("name")) || null } }));
      form.reset();
      fresh();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <Section title="Projects" fine="Members, keys, traces, datasets and runs of one are not seen from another.">
      <table className="mid">
        <thead><tr><th>name</th><th>id</th><th>since</th><td /><td /></tr></thead>
        <tbody>
          {projects.data.map((project) => (
            <tr key={project.id} aria-current={project.id === current?.id ? "true" : undefined} className={project.archived_at ? "text-ink-3" : ""}>
              <th scope="row"><Link to="/" search={{ project: project.id }}>{project.name}</Link></th>
              <td><Id id={project.id} /></td>
              <td>{project.created_at ? <Time at={project.created_at} ago /> : <span className="mut">from the beginning</span>}</td>
              <td>{project.archived_at ? <>archived <Time at={project.archived_at} /> ago: it can be read, and nothing else</> : ""}</td>
              <td className="num">
                {session?.projects.find(({ id }) => id === project.id)?.rights.includes("admin") && (
                  <>
                    <Rename name={project.name} done={(name) => void change(project.id, { name })} />{" "}
                    <button type="button" onClick={() => void change(project.id, { archived: !project.archived_at }).then(() => notify(project.archived_at ? `${project.name} is in use again.` : `Archived ${project.name}.`, () => change(project.id, { archived: Boolean(project.archived_at) })))}>{project.archived_at ? "Take out of the archive" : "Archive"}</button>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {session?.server && (
        <form className="mt-4 flex flex-wrap items-end gap-2 text-data" onSubmit={(event) => void create(event)}>
          <label className="grid gap-1">Id <input name="id" required pattern="[a-z0-9][a-z0-9\-]*" maxLength={64} placeholder="support-desk" title="Letters a to z, digits and hyphens: it stays, and stands in addresses" /></label>
          <label className="grid gap-1">Name <input name="name" maxLength={100} placeholder="as the id" /></label>
          <button type="submit">Make a project</button>
        </form>
      )}
      {error !== undefined && <ProblemNote error={error} />}
    </Section>
  );
}

function Rename({ name, done }: { name: string; done: (name: string) => void }) {
  const [editing, setEditing] = useState(false);
  if (!editing) return <button type="button" onClick={() => setEditing(true)}>Rename</button>;
  return (
    <form className="inline-flex gap-1" onSubmit={(event) => { event.preventDefault(); setEditing(false); done(String(new FormData(event.currentTarget).get("name"))); }}>
      <input name="name" aria-label="New name" defaultValue={name} required maxLength={100} autoFocus onKeyDown={(event) => { if (event.key === "Escape") setEditing(false); }} />
      <button type="submit">Rename</button>
    </form>
  );
}
