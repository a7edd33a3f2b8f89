import createClient, { type FetchOptions, type MaybeOptionalInit } from "openapi-fetch";
import type { PathsWithMethod } from "openapi-typescript-helpers";
import { answered, unanswered } from "./connection";
import { Problem, UNREACHABLE, problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type GetPath = PathsWithMethod<paths, "get">;
export type Init<Path extends GetPath> = MaybeOptionalInit<paths[Path], "get"> & FetchOptions<unknown>;
/** What a GET of the path answers. */
export type Answer<Path extends GetPath> = paths[Path] extends { get: { responses: { 200: { content: { "application/json": infer Found } } } } } ? Found : unknown;

/** The project that this page is about; the server chooses where the address says nothing. */
export function currentProject(): string | undefined {
  return new URLSearchParams(location.search).get("project") ?? undefined;
}

let csrf: string | undefined;
/** The token without which a session may not write; it comes with the session. */
export function setCsrf(token: string | undefined): void {
  csrf = token;
}

/** The API. Every path and every field is typed from OpenAPI; failures are thrown by `ask` as a `Problem`. */
export const api = createClient<paths>({ baseUrl: location.origin, querySerializer: { array: { style: "form", explode: true } } });

api.use({
  onRequest({ request }) {
    const project = currentProject();
    if (project) request.headers.set("boxscore-project", project);
    if (csrf && request.method !== "GET") request.headers.set("boxscore-csrf", csrf);
    return request;
  },
});

/** Where a 401 says that a password or a link is wrong, and not that nobody is signed in. */
const SIGNING = ["/login", "/owner", "/invitation", "/password"];
let refused: (() => void) | undefined;

/** Called whenever the server asks to sign in first. */
export function onRefused(listener: () => void): void {
  refused = listener;
}

interface Reply<Found> {
  data?: Found;
  error?: unknown;
  response: Response;
}

/** The data of a reply of `api`; a `Problem` where there is none. */
export async function ask<Found>(reply: Promise<Reply<Found>>): Promise<Found> {
  let found: Reply<Found>;
  try {
    found = await reply;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    unanswered();
    throw new Problem("unreachable", UNREACHABLE, 0);
  }
  const { response } = found;
  if (response.ok) {
    answered();
    return found.data as Found;
  }
  const problem = problemOf(response.status, found.error, response.headers.get("retry-after"));
  if (!problem.passing) answered();
  if (problem.status === 401 && !SIGNING.some((path) => response.url.endsWith(path))) refused?.();
  throw problem;
}
