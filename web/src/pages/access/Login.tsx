import { useNavigate } from "@tanstack/react-router";
import { useTitle } from "@/lib/title";
import { SignIn } from "./SignIn";
import { login } from "./routes";

export function Login() {
  const { next } = login.useSearch();
  const navigate = useNavigate();
  useTitle("Sign in");
  return (
    <>
      <h1 className="say mb-6">Sign in to Boxscore</h1>
      {/* only a path of this page is followed: an address of others is no next page */}
      <SignIn done={() => navigate({ href: next?.startsWith("/") && !next.startsWith("//") ? next : "/", replace: true } as never)} />
      <p className="fine mt-6">Without an account: an owner of the project makes a one-time link under Settings, Members, or with <code>boxscore members</code>.</p>
    </>
  );
}
