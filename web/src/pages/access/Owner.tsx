import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { queries } from "@/api/query";
import { post } from "@/api/session";
import { ProblemNote } from "@/components/Problem";
import { useTitle } from "@/lib/title";
import { owner } from "./routes";

/** The one-time link that makes the first owner, and later everybody who was invited. */
export function Owner() {
  const { token } = owner.useSearch();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useTitle("First owner");
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await post("/api/v1/owner", { token, name: form.get("name"), password: form.get("password") });
      queries.clear();
      await navigate({ to: "/", replace: true } as never);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <h1 className="say mb-2">You become the owner of this server</h1>
      <p className="ink2 mb-6">From now on it asks everybody to sign in, here and over the API. Programs get keys of their own under Settings.</p>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>Name <input name="name" autoComplete="username" required maxLength={100} autoFocus /></label>
        <label>Password <input name="password" type="password" autoComplete="new-password" required minLength={10} /><span className="fine">Ten characters or more; a few words make a good one.</span></label>
        {error !== undefined && <ProblemNote error={error} />}
        <div><button type="submit" className="go" disabled={busy || !token}>Become the owner</button></div>
        {!token && <p className="fine">The link that <code>boxscore serve</code> printed has a token in it, and this address has none.</p>}
      </form>
    </>
  );
}
