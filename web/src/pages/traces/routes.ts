import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { flag, list, oneOf, text } from "@/lib/params";

export const TABS = ["traces", "spans", "sessions"] as const;
export type Tab = (typeof TABS)[number];
const VIEWS = ["waterfall", "conversation", "raw"] as const;
export type View = (typeof VIEWS)[number];

/** What of a trace is open. */
export interface TraceSearch {
  /** The span that is open in it. */
  span?: string;
  view?: View;
}

export interface ListSearch extends TraceSearch {
  tab?: Tab;
  /** Conditions, in the store's form. */
  filter?: string[];
  /** Words to search for in the texts. */
  text?: string;
  /** The trace that is open beside the list. */
  trace?: string;
  /** No new rows come in. */
  paused?: true;
}

const opened = (search: Record<string, unknown>): TraceSearch => ({ span: text(search.span), view: oneOf(search.view, VIEWS) });

export const traces = createRoute({
  getParentRoute: () => root,
  path: "/traces",
  validateSearch: (search: Record<string, unknown>): ListSearch => ({
    tab: oneOf(search.tab, TABS),
    filter: list(search.filter),
    text: text(search.text),
    trace: text(search.trace),
    paused: flag(search.paused),
    ...opened(search),
  }),
  component: lazyRouteComponent(() => import("./Traces"), "Traces"),
});

export const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$id",
  validateSearch: opened,
  component: lazyRouteComponent(() => import("./Trace"), "Trace"),
});

export const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$id",
  component: lazyRouteComponent(() => import("./Session"), "Session"),
});

export const routes = [traces, trace, session] as const;
