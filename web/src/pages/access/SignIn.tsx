import { type FormEvent, useState } from "react";
import { signIn } from "@/api/session";
import { ProblemNote } from "@/components/Problem";

/** Name and password. */
export function SignIn({ done }: { done: () => unknown }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await signIn(String(form.get("name")), String(form.get("password")));
      await done();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <label>Name <input name="name" autoComplete="username" required autoFocus /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
      {error !== undefined && <ProblemNote error={error} />}
      <div><button type="submit" className="go" disabled={busy}>{busy ? "Signing in …" : "Sign in"}</button></div>
    </form>
  );
}
