import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";

export const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  component: lazyRouteComponent(() => import("./Experiments"), "Experiments"),
});

export const routes = [experiments] as const;
