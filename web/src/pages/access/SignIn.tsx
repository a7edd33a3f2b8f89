import { type FormEvent, type ReactNode, useState } from "react";
import { signIn } from "@/api/session";
import { ProblemNote } from "@/components/Problem";

/** A form that is sent once and says what went wrong. */
export function Form({ send, verb, children }: { send: (field: (name: string) => string) => Promise<unknown>; verb: string; children: ReactNode }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await send((name) => String(form.get(name) ?? ""));
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      {children}
      {error !== undefined && <ProblemNote error={error} />}
      <div><button type="submit" className="go" disabled={busy}>{busy ? "One moment …" : verb}</button></div>
    </form>
  );
}

/** Name and password. */
export function SignIn({ done }: { done: () => unknown }) {
  return (
    <Form verb="Sign in" send={async (field) => { await signIn(field("name"), field("password")); await done(); }}>
      <label>Name <input name="name" autoComplete="username" required autoFocus /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
    </Form>
  );
}

/** A password that one chooses. */
export function NewPassword({ name = "password" }: { name?: string }) {
  return (
    <label>
      Password <input name={name} type="password" autoComplete="new-password" required minLength={12} />
      <span className="fine">Twelve characters or more. A few words that belong together for you alone make a good one.</span>
    </label>
  );
}
