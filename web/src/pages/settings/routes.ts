import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";

export const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./Settings"), "Settings"),
});

export const setting = createRoute({
  getParentRoute: () => root,
  path: "/settings/$part",
  component: lazyRouteComponent(() => import("./Settings"), "Settings"),
});
