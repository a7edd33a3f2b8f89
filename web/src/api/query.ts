import { QueryClient, type UseQueryResult, keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { onConnection, silentSince } from "./connection";
import { type Answer, type GetPath, type Init, api, ask, currentProject } from "./client";
import { asProblem } from "./problem";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (times, error) => asProblem(error).passing && asProblem(error).status !== 0 && times < 3,
      retryDelay: (times, error) => (asProblem(error).retryAfterS ?? 0.5 * 2 ** times) * 1000,
    },
  },
});

// what failed while the server was away is asked again when it is back
onConnection(() => {
  if (silentSince() === undefined) void queries.invalidateQueries();
});

/** A GET as query options, for `useQuery`, `useInfiniteQuery` and loaders. Its key begins with the path and the project. */
export function asks<Path extends GetPath>(path: Path, init?: Init<Path>) {
  return queryOptions({
    queryKey: [path, currentProject() ?? null, init ?? null] as const,
    queryFn: ({ signal }): Promise<Answer<Path>> => ask((api.GET as Get)(path, { ...init, signal })) as Promise<Answer<Path>>,
  });
}
type Get = (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

interface Options {
  /** False keeps the question unasked. */
  enabled?: boolean;
  /** Ask again after so many milliseconds, while the page is in front. */
  every?: number;
  /** Show the answer to the question before, until this one is there. */
  keep?: boolean;
}

/** The answer to a GET, kept and shared. */
export function useAsk<Path extends GetPath>(path: Path, init?: Init<Path>, { enabled, every, keep }: Options = {}): UseQueryResult<Answer<Path>> {
  return useQuery({
    ...asks(path, init),
    enabled,
    refetchInterval: every ?? false,
    placeholderData: keep ? (keepPreviousData as never) : undefined,
  }) as UseQueryResult<Answer<Path>>;
}

/** Marks all answers of these paths as old; without paths, all. Call it after a write. */
export function stale(...paths: string[]): void {
  void queries.invalidateQueries(paths.length ? { predicate: ({ queryKey }) => paths.some((path) => String(queryKey[0]).startsWith(path)) } : undefined);
}
