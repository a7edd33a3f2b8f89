import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";

const page = lazyRouteComponent(() => import("./Soon"), "Soon");

export const soon = [
  createRoute({ getParentRoute: () => root, path: "/prompts", component: page }),
  createRoute({ getParentRoute: () => root, path: "/releases", component: page }),
  createRoute({ getParentRoute: () => root, path: "/review", component: page }),
] as const;
