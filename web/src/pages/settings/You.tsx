import { useState } from "react";
import { changePassword, useSession } from "@/api/session";
import { Section } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Form, NewPassword } from "../access/SignIn";

/** Who is signed in, what that allows, and the password. */
export function You() {
  const { data } = useSession();
  const [round, setRound] = useState(0);
  if (!data) return null;
  return (
    <div className="columns c2">
      <Section title={data.name} fine={data.role ? `${data.role} in every project` : undefined}>
        <table className="tight">
          <thead><tr><th>project</th><th>you may</th></tr></thead>
          <tbody>{data.projects.map(({ id, name, rights }) => <tr key={id}><th scope="row">{name}</th><td>{rights.join(", ")}</td></tr>)}</tbody>
        </table>
      </Section>
      {data.kind === "user" && (
        <Section title="Password" fine="Other browsers that are signed in are so no more.">
          <Form key={round} verb="Change it" send={async (field) => { await changePassword(field("old"), field("password")); notify("The password is changed."); setRound(round + 1); }}>
            <label>The old one <input name="old" type="password" autoComplete="current-password" required /></label>
            <NewPassword />
          </Form>
        </Section>
      )}
    </div>
  );
}
