import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/frame/root";
import { text } from "@/lib/params";

export const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("./Login"), "Login"),
});
