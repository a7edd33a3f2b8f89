import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { number, oneOf, text } from "@/lib/params";

interface ListSearch {
  tab?: "runs" | "matrix";
  dataset?: string;
  version?: string;
  variant?: string;
  verdict?: "ship" | "reject" | "undecided";
}

interface BoxScoreSearch {
  show?: "worse" | "better" | "tied";
  slice?: string;
  of?: string;
  superiority?: number;
  noninferiority?: number;
  value?: number;
}

interface RunSearch {
  which?: "errors" | "reused";
  example?: string;
  open?: string;
}


export const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  validateSearch: (query: Record<string, unknown>): ListSearch => ({
    tab: oneOf(query.tab, ["runs", "matrix"]),
    dataset: text(query.dataset),
    version: text(query.version),
    variant: text(query.variant),
    verdict: oneOf(query.verdict, ["ship", "reject", "undecided"]),
  }),
  component: lazyRouteComponent(() => import("./Experiments"), "Experiments"),
});

export const compare = createRoute({
  getParentRoute: () => root,
  path: "/experiments/new",
  validateSearch: (query: Record<string, unknown>): { dataset?: string; like?: string } => ({ dataset: text(query.dataset), like: text(query.like) }),
  component: lazyRouteComponent(() => import("./New"), "New"),
});

export const boxScore = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$id",
  validateSearch: (query: Record<string, unknown>): BoxScoreSearch => ({
    show: oneOf(query.show, ["worse", "better", "tied"]),
    slice: text(query.slice),
    of: text(query.of),
    superiority: number(query.superiority),
    noninferiority: number(query.noninferiority),
    value: number(query.value),
  }),
  component: lazyRouteComponent(() => import("./BoxScore"), "BoxScore"),
});

export const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: (query: Record<string, unknown>): RunSearch => ({
    which: oneOf(query.which, ["errors", "reused"]),
    example: text(query.example),
    open: text(query.open),
  }),
  component: lazyRouteComponent(() => import("./Run"), "RunPage"),
});

export const routes = [experiments, compare, boxScore, run] as const;
