import { useQuery } from "@tanstack/react-query";
import { type Schemas, api, ask, currentProject, setCsrf } from "./client";
import { queries } from "./query";

export type Session = Schemas["Session"];
export type Right = "read" | "score" | "ingest" | "write" | "admin";

const KEY = ["session"] as const;

/** Keeps who asks, and the proof that goes with what they change. */
function keep(found: Session): Session {
  setCsrf(found.csrf ?? undefined);
  return found;
}

/** Who looks at this page: a person who signed in, or whoever sits at the machine while there is no owner yet. */
export const session = {
  queryKey: KEY,
  queryFn: async (): Promise<Session> => keep(await ask(api.GET("/api/v1/session"))),
  staleTime: 60_000,
} as const;

export function useSession() {
  return useQuery(session);
}

/** The project that the page is about. */
export function useProject(): Schemas["Share"] | undefined {
  const { data } = useSession();
  const asked = currentProject();
  return data?.projects.find(({ id }) => id === (asked ?? "default")) ?? (asked ? undefined : data?.projects[0]);
}

/** Whether the person who looks may do in this project what needs the right; the server asks again. */
export function useMay(right: Right): boolean {
  return useProject()?.rights.includes(right) ?? false;
}

async function begin(reply: Promise<Session>): Promise<void> {
  const found = keep(await reply);
  queries.setQueryData(KEY, found);
  await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
}

export function signIn(name: string, password: string): Promise<void> {
  return begin(ask(api.POST("/api/v1/login", { body: { name, password } })));
}

/** By the one-time link that the server printed. */
export function becomeOwner(link: string, name: string, password: string): Promise<void> {
  return begin(ask(api.POST("/api/v1/owner", { body: { link, name, password } })));
}

/** By the one-time link that an owner made for a person. */
export function choosePassword(link: string, password: string): Promise<void> {
  return begin(ask(api.POST("/api/v1/invitation", { body: { link, password } })));
}

export function changePassword(old: string, next: string): Promise<void> {
  return begin(ask(api.POST("/api/v1/password", { body: { old, new: next } })));
}

export async function signOut(): Promise<void> {
  await ask(api.POST("/api/v1/logout"));
  setCsrf(undefined);
  queries.clear();
}
