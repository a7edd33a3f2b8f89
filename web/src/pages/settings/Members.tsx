import { type FormEvent, useState } from "react";
import { type Schemas, api, ask } from "@/api/client";
import { stale, useAsk } from "@/api/query";
import { useProject, useSession } from "@/api/session";
import { Code } from "@/components/Copy";
import { Dialog } from "@/components/Dialog";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Time } from "@/components/Values";

type Role = "viewer" | "reviewer" | "editor" | "owner";
const ROLES: readonly (readonly [Role, string])[] = [
  ["viewer", "looks at everything"],
  ["reviewer", "looks, and gives scores"],
  ["editor", "datasets, runs and prices too: what spends money"],
  ["owner", "members, keys and settings too"],
];
const failed = (error: unknown) => notify(error instanceof Error ? error.message : String(error));

/** People of the project, and everybody whom the server knows. */
export function Members() {
  const project = useProject();
  const { data: session } = useSession();
  const members = useAsk("/api/v1/members");
  const users = useAsk("/api/v1/users", undefined, { enabled: session?.server === true });
  const [adding, setAdding] = useState(false);
  const [invited, setInvited] = useState<Schemas["Invitation"]>();
  if (members.error) return <ProblemNote error={members.error} retry={members.refetch} />;
  if (!members.data) return <Waiting />;

  const give = async (user: string, role: Role) => {
    try {
      await ask(api.PUT("/api/v1/members/{user}", { params: { path: { user } }, body: { role } }));
      stale("/api/v1/members");
    } catch (error) {
      failed(error);
    }
  };
  const remove = async (member: Schemas["Member"]) => {
    try {
      await ask(api.DELETE("/api/v1/members/{user}", { params: { path: { user: member.user } } }));
      stale("/api/v1/members");
      notify(`${member.user} is no member any more.`, () => give(member.user, member.role));
    } catch (error) {
      failed(error);
    }
  };
  const change = async (user: string, body: Schemas["ChangedUser"]) => {
    try {
      await ask(api.PATCH("/api/v1/users/{user}", { params: { path: { user } }, body }));
      stale("/api/v1/users");
    } catch (error) {
      failed(error);
    }
  };
  const invite = async (user: string) => {
    try {
      setInvited(await ask(api.POST("/api/v1/users/{user}/link", { params: { path: { user } } })));
    } catch (error) {
      failed(error);
    }
  };
  const others = (users.data ?? []).filter(({ name, disabled_at }) => !disabled_at && !members.data?.some(({ user }) => user === name));

  return (
    <>
      <Section
        title={`Members of ${project?.name ?? "this project"}`}
        fine={ROLES.map(([role, words]) => `${role}: ${words}`).join(" · ")}
        tools={others.length > 0 && <select aria-label="Add a member" value="" onChange={(event) => { if (event.target.value) void give(event.target.value, "viewer"); }}><option value="">Add a member</option>{others.map(({ name }) => <option key={name}>{name}</option>)}</select>}
      >
        {members.data.length === 0 ? (
          <Empty title={session?.kind === "local" ? <>Nobody signs in here yet: who sits at this machine may do everything. The link that <code>boxscore serve</code> printed makes the first owner, who invites others.</> : "Nobody has a role in this project alone. Who has one in every project is below."} />
        ) : (
          <table className="mid">
            <thead><tr><th>name</th><th>role in this project</th><th>since</th><td /></tr></thead>
            <tbody>
              {members.data.map((member) => (
                <tr key={member.user}>
                  <th scope="row">{member.user}{member.disabled && <span className="mut"> disabled</span>}</th>
                  <td><RoleSelect name={member.user} value={member.role} choose={(role) => void give(member.user, role as Role)} /></td>
                  <td><Time at={member.since} ago /></td>
                  <td className="num"><button type="button" onClick={() => void remove(member)}>Remove</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
      {session?.server && users.data && (users.data.length > 0 || session.kind === "user") && (
        <Section title="Everybody on this server" fine="A role here holds in every project." tools={<button type="button" className="go" onClick={() => setAdding(true)}>Invite somebody</button>}>
          <table className="mid">
            <thead><tr><th>name</th><th>role in every project</th><th>since</th><th>signs in</th><td /></tr></thead>
            <tbody>
              {users.data.map((user) => (
                <tr key={user.id} className={user.disabled_at ? "text-ink-3" : ""}>
                  <th scope="row">{user.name}{user.name === session.name && <span className="mut"> you</span>}</th>
                  <td><RoleSelect name={user.name} value={user.role ?? ""} none="none" choose={(role) => void change(user.name, { role: (role || null) as Role | null })} /></td>
                  <td><Time at={user.created_at} ago /></td>
                  <td>{user.disabled_at ? "disabled" : user.signs_in ? "yes" : "not yet: the link was not used"}</td>
                  <td className="num">
                    <button type="button" onClick={() => void invite(user.name)}>New link</button>{" "}
                    {user.name !== session.name && <button type="button" onClick={() => void change(user.name, { disabled: !user.disabled_at }).then(() => notify(user.disabled_at ? `${user.name} may sign in again.` : `${user.name} is signed out everywhere and cannot sign in.`, () => change(user.name, { disabled: Boolean(user.disabled_at) })))}>{user.disabled_at ? "Enable" : "Disable"}</button>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
      <Invite open={adding} close={() => setAdding(false)} done={(found) => { setAdding(false); setInvited(found); stale("/api/v1/users"); }} />
      <Dialog open={invited !== undefined} close={() => setInvited(undefined)} title={`A link for ${invited?.user.name ?? ""}`} wide>
        {invited && (
          <>
            <p className="mb-2 text-data">Give it to this person, and to nobody else: who opens it chooses the password. It works once, until <Time at={invited.link.expires_at} />, and is shown this once.</p>
            <Code text={location.origin + invited.path} label="One-time link" />
          </>
        )}
      </Dialog>
    </>
  );
}

function RoleSelect({ name, value, none, choose }: { name: string; value: string; none?: string; choose: (role: string) => void }) {
  return (
    <select aria-label={`Role of ${name}`} value={value} onChange={(event) => choose(event.target.value)}>
      {none && <option value="">{none}</option>}
      {ROLES.map(([role]) => <option key={role}>{role}</option>)}
    </select>
  );
}

function Invite({ open, close, done }: { open: boolean; close: () => void; done: (found: Schemas["Invitation"]) => void }) {
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setError(undefined);
    try {
      done(await ask(api.POST("/api/v1/users", { body: { name: String(form.get("name")), role: (String(form.get("role")) || null) as Role | null } })));
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <Dialog open={open} close={close} title="Invite somebody">
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>Name <input name="name" required maxLength={100} autoComplete="off" autoFocus /></label>
        <label>Role in every project <select name="role"><option value="">none: to be made member of some</option>{ROLES.map(([role]) => <option key={role}>{role}</option>)}</select></label>
        {error !== undefined && <ProblemNote error={error} />}
        <div className="flex justify-end gap-2"><button type="button" onClick={close}>Leave it</button><button type="submit" className="go">Make the link</button></div>
      </form>
    </Dialog>
  );
}
