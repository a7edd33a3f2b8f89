import { createRouter } from "@tanstack/react-router";
import { ProblemNote } from "@/components/Problem";
import { Answer, Waiting } from "@/components/Section";
import { Frame } from "@/frame/Frame";
import { root } from "@/frame/root";
import { parseQuery, writeQuery } from "@/lib/params";
import { login } from "@/pages/access/routes";
import { costs } from "@/pages/costs/routes";
import { routes as datasets } from "@/pages/datasets/routes";
import { routes as experiments } from "@/pages/experiments/routes";
import { home } from "@/pages/home/routes";
import { setting, settings } from "@/pages/settings/routes";
import { soon } from "@/pages/soon/routes";
import { routes as traces } from "@/pages/traces/routes";

root.update({ component: Frame });

/** All addresses. A place's routes are in its folder; what is drawn is fetched when one goes there. */
export const router = createRouter({
  routeTree: root.addChildren([home, ...soon, ...datasets, ...experiments, ...traces, costs, settings, setting, login]),
  parseSearch: parseQuery,
  stringifySearch: writeQuery,
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultPendingMs: 400,
  defaultPendingComponent: () => <Waiting what="Fetching the page" />,
  defaultErrorComponent: ({ error, reset }) => <ProblemNote error={error} retry={reset} />,
  defaultNotFoundComponent: () => <><Answer>There is no such page.</Answer><p className="mt-2">The places at the left are all there are; the search finds what is in them.</p></>,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
