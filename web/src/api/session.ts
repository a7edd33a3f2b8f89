import { useQuery } from "@tanstack/react-query";
import { setCsrf } from "./client";
import { answered, unanswered } from "./connection";
import { Problem, UNREACHABLE, problemOf } from "./problem";
import { queries } from "./query";

/** Who looks at this page: a person who signed in, or whoever sits at the machine while there is no owner yet. */
export interface Session {
  kind: "local" | "user" | "key" | "nobody";
  name: string;
  project: string;
  rights: string[];
  projects: { id: string; name: string }[];
  csrf?: string | null;
  /** Whether there is anybody who could sign in. */
  users?: boolean;
}

/** A request outside the table of the API's types: signing in and out. */
export async function post<Found>(path: string, body: unknown): Promise<Found> {
  return send("POST", path, body);
}

async function send<Found>(method: string, path: string, body?: unknown): Promise<Found> {
  let reply: Response;
  try {
    reply = await fetch(path, {
      method,
      cache: "no-store",
      headers: body === undefined ? {} : { "content-type": "application/json", ...(token ? { "boxscore-csrf": token } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    unanswered();
    throw new Problem("unreachable", UNREACHABLE, 0);
  }
  answered();
  const text = await reply.text();
  let found: unknown;
  try {
    found = text ? JSON.parse(text) : undefined;
  } catch {
    found = undefined;
  }
  if (!reply.ok) throw problemOf(reply.status, found, reply.headers.get("retry-after"));
  return found as Found;
}

let token: string | undefined;

async function read(): Promise<Session> {
  const session = await send<Session>("GET", "/api/v1/session");
  token = session.csrf ?? undefined;
  setCsrf(token);
  return session;
}

export const session = { queryKey: ["session"], queryFn: read, staleTime: 60_000, retry: false } as const;

export function useSession() {
  return useQuery(session);
}

/** Whether the person who looks may do what needs the right. */
export function useMay(right: "read" | "score" | "ingest" | "write" | "admin"): boolean {
  const { data } = useSession();
  return data === undefined || data.rights.includes(right);
}

export async function signIn(name: string, password: string): Promise<void> {
  await post("/api/v1/login", { name, password });
  await queries.fetchQuery({ ...session, staleTime: 0 });
  void queries.invalidateQueries();
}

export async function signOut(): Promise<void> {
  await post("/api/v1/logout", {});
  setCsrf(undefined);
  queries.clear();
}
