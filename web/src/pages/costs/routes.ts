import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { list, oneOf, text } from "@/lib/params";

/** What spend is told apart by. `tag` is an attribute of the application's own, which `tag=` names. */
export const GROUPS = ["model", "step", "user", "session", "application", "environment", "prompt", "variant", "day"] as const;
export type By = (typeof GROUPS)[number];

export const costs = createRoute({
  getParentRoute: () => root,
  path: "/costs",
  validateSearch: (search: Record<string, unknown>): { by?: By; step?: string; with?: string[]; at?: string } => ({
    by: oneOf(search.by, GROUPS),
    step: text(search.step),
    with: list(search.with),
    at: text(search.at),
  }),
  component: lazyRouteComponent(() => import("./Costs"), "Costs"),
});
