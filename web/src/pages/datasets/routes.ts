import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";

export const datasets = createRoute({
  getParentRoute: () => root,
  path: "/datasets",
  component: lazyRouteComponent(() => import("./Datasets"), "Datasets"),
});

export const routes = [datasets] as const;
