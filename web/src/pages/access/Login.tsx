import { useLocation, useNavigate } from "@tanstack/react-router";
import { becomeOwner, choosePassword } from "@/api/session";
import { useTitle } from "@/lib/title";
import { Form, NewPassword, SignIn } from "./SignIn";
import { login } from "./routes";

/** Signing in: by a password, or the first time by a one-time link, whose token is in the part of the address that no
 *  server and no log ever sees. */
export function Login() {
  const { next } = login.useSearch();
  const { hash } = useLocation();
  const navigate = useNavigate();
  const [kind, token = ""] = hash.split("=");
  // only a path of this page is followed: an address of others is no next page
  const done = () => navigate({ href: next && /^\/(?![/\\\s])/.test(next) ? next : "/", replace: true } as never);
  useTitle(kind === "owner" ? "First owner" : kind === "link" ? "Welcome" : "Sign in");

  if (kind === "owner") {
    return (
      <>
        <h1 className="say mb-2">You become the owner of this server.</h1>
        <p className="ink2 mb-6">From then on it asks everybody to sign in, here and over the API. Programs get keys of their own under Settings, and people are invited there.</p>
        <Form verb="Become the owner" send={async (field) => { await becomeOwner(token, field("name"), field("password")); await done(); }}>
          <label>Name <input name="name" autoComplete="username" required maxLength={100} autoFocus /></label>
          <NewPassword />
        </Form>
      </>
    );
  }
  if (kind === "link") {
    return (
      <>
        <h1 className="say mb-2">Welcome to Boxscore.</h1>
        <p className="ink2 mb-6">Choose a password. The link that brought you here works this once.</p>
        <Form verb="Sign in" send={async (field) => { await choosePassword(token, field("password")); await done(); }}>
          <NewPassword />
        </Form>
      </>
    );
  }
  return (
    <>
      <h1 className="say mb-6">Sign in to Boxscore.</h1>
      <SignIn done={done} />
      <p className="fine mt-6">No account, or the password forgotten? An owner of this server makes a one-time link under Settings, Members.</p>
    </>
  );
}
