import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { list, oneOf, text } from "@/lib/params";

/** What spend is told apart by, beside the attributes of the application's own: `metadata.KEY`. */
export const GROUPS = ["model", "step", "user", "session", "application", "environment", "prompt", "variant", "metadata.tags", "day"] as const;
export type By = (typeof GROUPS)[number] | `metadata.${string}`;

const grouped = (value: unknown): By | undefined => oneOf(value, GROUPS) ?? (typeof value === "string" && /^metadata\../.test(value) ? (value as By) : undefined);

export const costs = createRoute({
  getParentRoute: () => root,
  path: "/costs",
  validateSearch: (search: Record<string, unknown>): { by?: By; step?: string; with?: string[]; at?: string } => ({
    by: grouped(search.by),
    step: text(search.step),
    with: list(search.with),
    at: text(search.at),
  }),
  component: lazyRouteComponent(() => import("./Costs"), "Costs"),
});
