/** What went wrong, in the one shape of the API: a stable code and a sentence that says what happened and what to do. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** The HTTP status; 0 where the server did not answer. */
    readonly status: number,
    /** What else the error carries. */
    readonly data: Record<string, unknown> = {},
    readonly retryAfterS?: number,
  ) {
    super(message);
    this.name = "Problem";
  }

  /** Whether asking again may help without anybody doing something. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export const UNREACHABLE = "The server does not answer. This page asks again by itself; nothing that was stored is lost.";

export function problemOf(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const said = (body as { error?: Record<string, unknown> } | undefined)?.error;
  const { code, message, ...data } = said ?? {};
  return new Problem(
    typeof code === "string" ? code : "unknown",
    typeof message === "string" ? message : `The server answered with status ${status}, and not as Boxscore does. Is a proxy in between?`,
    status,
    data,
    retryAfter === null ? undefined : Number(retryAfter),
  );
}

/** Any error as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return new Problem("unreachable", UNREACHABLE, 0);
  return new Problem("page", error instanceof Error ? error.message : String(error), 0);
}
