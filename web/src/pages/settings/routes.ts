import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { flag, text } from "@/lib/params";

const page = lazyRouteComponent(() => import("./Settings"), "Settings");

export const settings = createRoute({ getParentRoute: () => root, path: "/settings", component: page });

export const setting = createRoute({
  getParentRoute: () => root,
  path: "/settings/$part",
  validateSearch: (search: Record<string, unknown>): { text?: string; server?: true } => ({ text: text(search.text), server: flag(search.server) }),
  component: page,
});
