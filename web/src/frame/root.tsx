import { createRootRoute, retainSearchParams } from "@tanstack/react-router";
import { text } from "@/lib/params";

export interface FrameSearch {
  /** The project that the page is about; the server's choice where absent. */
  project?: string;
  /** A range of `@/lib/range`. */
  range?: string;
}

/** The root of all addresses. Places put their routes below it; the router gives it the frame, which needs it. */
export const root = createRootRoute({
  validateSearch: (search: Record<string, unknown>): FrameSearch => ({ project: text(search.project), range: text(search.range) }),
  search: { middlewares: [retainSearchParams(["project", "range"])] },
});
