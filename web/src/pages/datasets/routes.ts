import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { flag, list, oneOf, text } from "@/lib/params";

export const TABS = ["rows", "versions", "runs"] as const;
export type Tab = (typeof TABS)[number];

export interface DatasetsSearch {
  /** Archived ones too. */
  archived?: true;
}

export interface DatasetSearch {
  tab?: Tab;
  /** A number; the newest where absent. */
  version?: string;
  /** Words to search for. */
  text?: string;
  /** `FIELD=VALUE`, all of which hold. */
  where?: string[];
  /** The id of the row that is open. */
  row?: string;
  /** Two versions, as in `2..3`. */
  diff?: string;
}

export const datasets = createRoute({
  getParentRoute: () => root,
  path: "/datasets",
  validateSearch: (search: Record<string, unknown>): DatasetsSearch => ({ archived: flag(search.archived) }),
  component: lazyRouteComponent(() => import("./Datasets"), "Datasets"),
});

export const dataset = createRoute({
  getParentRoute: () => root,
  path: "/datasets/$name",
  validateSearch: (search: Record<string, unknown>): DatasetSearch => ({
    tab: oneOf(search.tab, TABS),
    version: text(search.version),
    text: text(search.text),
    where: list(search.where),
    row: text(search.row),
    diff: text(search.diff),
  }),
  component: lazyRouteComponent(() => import("./Dataset"), "Dataset"),
});

export const routes = [datasets, dataset] as const;
