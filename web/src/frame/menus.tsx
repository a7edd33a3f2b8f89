import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { signOut, useProject, useSession } from "@/api/session";
import { Menu } from "@/components/Menu";
import { RANGES, range } from "@/lib/range";
import { root } from "./root";
import { useRange } from "./range";

/** The project that the page is about, and the others. */
export function ProjectMenu() {
  const { data } = useSession();
  const { project: asked } = root.useSearch();
  const project = useProject();
  const current = project?.id ?? asked ?? "default";
  const projects = (data?.projects ?? []).filter(({ archived }) => !archived);
  const name = project?.name ?? current;
  return (
    <Menu label={<b className="clip max-w-[180px]">{name}</b>} name={`Project ${name}`}>
      {(close) => (
        <>
          {projects.map(({ id, name: label }) => (
            <Link key={id} to="/" search={{ project: id }} aria-current={id === current ? "true" : undefined} activeProps={{}} onClick={close}>{label}</Link>
          ))}
          <Link to="/settings/$part" params={{ part: "projects" }} onClick={close} className="border-t! border-rule-2! text-ink-2"><span>All projects</span></Link>
        </>
      )}
    </Menu>
  );
}

/** The stretch of time that the page is about. */
export function RangeMenu() {
  const chosen = useRange();
  const navigate = useNavigate();
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const own = (event: FormEvent, close: () => void) => {
    event.preventDefault();
    if (!from || !to) return;
    const end = new Date(Date.parse(to) + 86_400_000).toISOString().slice(0, 10);
    close();
    void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, range: `${from}..${end}` }) } as never);
  };
  return (
    <Menu label={chosen.label} name={`Time: ${chosen.label}`}>
      {(close) => (
        <>
          {RANGES.map((name) => (
            <Link key={name} to="." search={((before: Record<string, unknown>) => ({ ...before, range: name })) as never} aria-current={name === chosen.name ? "true" : undefined} activeProps={{}} onClick={close}>{range(name).label}</Link>
          ))}
          <form className="grid! gap-2! border-t! border-rule-2! py-2!" onSubmit={(event) => own(event, close)}>
            <label className="flex items-center justify-between gap-2">from <input type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label>
            <label className="flex items-center justify-between gap-2">to <input type="date" value={to} onChange={(event) => setTo(event.target.value)} /></label>
            <button type="submit" disabled={!from || !to || from > to}>These days</button>
          </form>
        </>
      )}
    </Menu>
  );
}

/** Who is signed in, and the way out. */
export function UserMenu() {
  const { data } = useSession();
  const navigate = useNavigate();
  if (data?.kind !== "user") return null;
  return (
    <Menu label={<span className="clip max-w-[140px]">{data.name}</span>} name={`Signed in as ${data.name}`}>
      {(close) => (
        <>
          <Link to="/settings/$part" params={{ part: "you" }} onClick={close}>You</Link>
          <button type="button" onClick={() => { close(); void signOut().then(() => navigate({ to: "/login" } as never)); }}>Sign out</button>
        </>
      )}
    </Menu>
  );
}
