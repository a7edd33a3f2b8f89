import { useSyncExternalStore } from "react";

type Theme = "light" | "dark";
const KEY = "boxscore-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function shown(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
}

/** The theme, and a switch to the other. What agrees with the system is not kept, so that the page follows it again. */
export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    system.addEventListener("change", listener);
    return () => {
      listeners.delete(listener);
      system.removeEventListener("change", listener);
    };
  }, shown);
  const turn = () => {
    const next: Theme = shown() === "dark" ? "light" : "dark";
    const follows = (next === "dark") === system.matches;
    if (follows) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (follows) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // storage is closed to us: it holds for this page
    }
    for (const listener of listeners) listener();
  };
  return [theme, turn];
}
