import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "@/api/problem";
import { queries } from "@/api/query";
import { session } from "@/api/session";
import { sessionEnd } from "@/frame/ending";
import { router } from "./router";
import "./styles/page.css";

// no session: to the login page and back; one that ended while a page is open is renewed over it
const refused = (error: unknown) => {
  if (asProblem(error).status !== 401) return;
  const here = router.state.location;
  if (here.pathname === "/login") return;
  const known = queries.getQueryData<{ kind: string }>(session.queryKey);
  if (known?.kind === "user") sessionEnd.set(true);
  else void router.navigate({ to: "/login", search: { next: here.href === "/" ? undefined : here.href }, replace: true });
};
queries.getQueryCache().subscribe((event) => {
  if (event.type === "updated" && event.action.type === "error") refused(event.action.error);
});
queries.getMutationCache().subscribe((event) => {
  if (event.type === "updated" && event.action.type === "error") refused(event.action.error);
});

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
