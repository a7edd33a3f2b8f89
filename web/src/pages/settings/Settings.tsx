import { useLocation } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useMay, useSession } from "@/api/session";
import { Answer, Waiting } from "@/components/Section";
import { Tabs } from "@/components/Tabs";
import { useTitle } from "@/lib/title";
import { General } from "./General";

const PARTS = {
  connect: { name: "Connect", page: lazy(() => import("./Connect").then(({ Connect }) => ({ default: Connect }))) },
  members: { name: "Members", page: lazy(() => import("./Members").then(({ Members }) => ({ default: Members }))) },
  keys: { name: "Keys", page: lazy(() => import("./Keys").then(({ Keys }) => ({ default: Keys }))) },
  projects: { name: "Projects", page: lazy(() => import("./Projects").then(({ Projects }) => ({ default: Projects }))) },
  prices: { name: "Prices", page: lazy(() => import("./Prices").then(({ Prices }) => ({ default: Prices }))) },
  providers: { name: "Providers", page: lazy(() => import("./Providers").then(({ Providers }) => ({ default: Providers }))) },
  audit: { name: "Audit", page: lazy(() => import("./Audit").then(({ Audit }) => ({ default: Audit }))) },
  you: { name: "You", page: lazy(() => import("./You").then(({ You }) => ({ default: You }))) },
} as const;
type Part = keyof typeof PARTS;

/** What the part is for, in one sentence; the first is the page's answer. */
const SAYS: Record<Part | "general", string> = {
  general: "How this server is set up.",
  connect: "What sends traces here.",
  members: "Who may do what.",
  keys: "Keys of programs.",
  projects: "Projects keep things apart.",
  prices: "What models cost, by date.",
  providers: "Models that runs can ask.",
  audit: "Who changed what.",
  you: "You.",
};

export function Settings() {
  const { pathname } = useLocation();
  const asked = pathname.split("/")[2] as Part | undefined;
  const part = asked !== undefined && asked in PARTS ? asked : undefined;
  const { data } = useSession();
  const admin = useMay("admin");
  useTitle(part ? `${PARTS[part].name} · Settings` : "Settings");
  const shown = (Object.keys(PARTS) as Part[]).filter((one) => one === part || (["members", "keys", "audit"].includes(one) ? admin : one === "you" ? data?.kind === "user" : true));
  const Page = part ? PARTS[part].page : General;
  return (
    <>
      <Answer>{SAYS[part ?? "general"]}</Answer>
      <div className="mt-4">
        <Tabs name="Settings" tabs={[{ label: "General", to: "/settings", active: part === undefined }, ...shown.map((one) => ({ label: PARTS[one].name, to: "/settings/$part" as const, params: { part: one } as never, active: one === part }))]} />
      </div>
      <Suspense fallback={<Waiting />}><Page /></Suspense>
    </>
  );
}
