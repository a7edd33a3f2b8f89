import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onRefused } from "@/api/client";
import { queries } from "@/api/query";
import { type Session, session } from "@/api/session";
import { sessionEnd } from "@/frame/ending";
import { onGo } from "@/lib/go";
import { router } from "./router";
import "./styles/page.css";

// no session: to the login page and back; one that ended while a page is open is renewed over it
onRefused(() => {
  const here = router.state.location;
  if (here.pathname === "/login") return;
  if (queries.getQueryData<Session>(session.queryKey)?.kind === "user") sessionEnd.set(true);
  else void router.navigate({ to: "/login", search: { next: here.href === "/" ? undefined : here.href }, replace: true });
});

// after an upgrade the files of the page that is open are gone. Of a script the router knows, and loads the page anew; a
// style is not to be in its way
addEventListener("vite:preloadError", (event) => {
  if (event.payload.message.startsWith("Unable to preload CSS")) event.preventDefault();
});

onGo((href) => void router.navigate({ href }));

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
