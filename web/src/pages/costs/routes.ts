import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { oneOf, text } from "@/lib/params";

export const GROUPS = ["model", "step", "user", "key", "tag", "day"] as const;

export const costs = createRoute({
  getParentRoute: () => root,
  path: "/costs",
  validateSearch: (search: Record<string, unknown>): { by?: (typeof GROUPS)[number]; step?: string; on?: string } => ({
    by: oneOf(search.by, GROUPS),
    step: text(search.step),
    on: text(search.on),
  }),
  component: lazyRouteComponent(() => import("./Costs"), "Costs"),
});
