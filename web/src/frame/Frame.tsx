import { Link, Outlet, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Toasts } from "@/components/Toast";
import { useKeys } from "@/lib/keys";
import { Connection } from "./Connection";
import { Keys } from "./Keys";
import { PLACES } from "./places";
import { ProjectMenu, RangeMenu, UserMenu } from "./menus";
import { Search } from "./Search";
import { SessionEnded } from "./SessionEnded";
import { Standing } from "./Standing";
import { useTheme } from "./theme";
import { useCounts } from "./counts";


/** What is around every page: the nine places, project, range, search. */
export function Frame() {
  const { pathname } = useLocation();
  if (pathname === "/login") {
    return <><main id="main" className="mx-auto max-w-[520px]! pt-[12vh]"><Outlet /></main><Toasts /></>;
  }
  return <Framed pathname={pathname} />;
}

function Framed({ pathname }: { pathname: string }) {
  const navigate = useNavigate();
  const router = useRouter();
  const [, turnTheme] = useTheme();
  const [help, setHelp] = useState(false);
  const counts = useCounts();
  useKeys([
    { keys: "?", does: "all keys", run: () => setHelp(true) },
    { keys: "/", does: "search", run: () => document.getElementById("search")?.focus() },
    ...PLACES.map(({ to, name, key }) => ({ keys: `g ${key}`, does: name, run: () => void navigate({ to } as never) })),
  ]);

  // a new page is read from its top, and the reader of a screen is told
  const main = useRef<HTMLElement>(null);
  const [told, setTold] = useState("");
  useEffect(
    () =>
      router.subscribe("onResolved", ({ pathChanged }) => {
        if (pathChanged) setTimeout(() => setTold(document.title), 300);
      }),
    [router],
  );

  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to content</a>
      <div className="app">
        <nav className="side" aria-label="Places">
          <Link className="brand" to="/"><Sign />Boxscore</Link>
          <ul>
            {PLACES.map(({ to, name, gap, counted }) => {
              const here = to === "/" ? pathname === "/" : pathname.startsWith(to) || (to === "/traces" && pathname.startsWith("/sessions")) || (to === "/experiments" && pathname.startsWith("/runs"));
              return (
                <li key={to} className={gap ? "gap" : ""}>
                  <Link to={to} search={{} as never} aria-current={here ? "page" : undefined} activeProps={{}}>{name}<span className="n">{counted ? counts[counted] : ""}</span></Link>
                </li>
              );
            })}
          </ul>
          <Standing />
        </nav>
        <div className="min-w-0">
          <header className="top">
            <ProjectMenu />
            <RangeMenu />
            <Search />
            <span className="flex-1" />
            <UserMenu />
            <button type="button" className="bare" aria-label="Switch light and dark" title="Light or dark" onClick={turnTheme}>◐</button>
            <button type="button" className="bare hide-s" aria-label="All keys" title="All keys" onClick={() => setHelp(true)}><kbd>?</kbd></button>
          </header>
          <Connection />
          <main id="main" ref={main} tabIndex={-1} className="outline-none"><Outlet /></main>
        </div>
      </div>
      <p className="hidden-text" aria-live="polite">{told}</p>
      <Keys open={help} close={() => setHelp(false)} />
      <SessionEnded />
      <Toasts />
    </>
  );
}

function Sign() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
      <g fill="none" stroke="currentColor"><path d="M1 1.5h16M1 16.5h16M1 9h16" /><path d="M6.5 1.5v15" opacity=".45" /></g>
      <circle cx="12" cy="5.2" r="1.7" fill="currentColor" /><circle cx="9.6" cy="12.8" r="1.4" fill="none" stroke="currentColor" />
    </svg>
  );
}
