import { useEffect, useRef } from "react";

/** A key of the page: `j`, `Enter`, `?`, or two after one another as in `g t`. */
export interface Key {
  keys: string;
  does: string;
  run: (event: KeyboardEvent) => void;
}

const known: { current: readonly Key[] }[] = [];
let before: { key: string; at: number } | undefined;

/** All keys that do something on the page as it is, the latest part of it first. */
export function knownKeys(): Key[] {
  const found = new Map<string, Key>();
  for (const { current } of [...known].reverse()) for (const key of current) if (!found.has(key.keys)) found.set(key.keys, key);
  return [...found.values()];
}

/** Binds keys while the component is there. They are silent where one types, and under a dialog. */
export function useKeys(keys: readonly Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    known.push(latest);
    if (known.length === 1) document.addEventListener("keydown", press);
    return () => {
      known.splice(known.indexOf(latest), 1);
      if (known.length === 0) document.removeEventListener("keydown", press);
    };
  }, []);
}

function press(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target as HTMLElement;
  if (target.closest("input, textarea, select, [contenteditable], dialog, [popover]")) return;
  // a focused link or button has Enter and space for itself
  if ((event.key === "Enter" || event.key === " ") && target.closest("a, button, summary")) return;
  const two = before && event.timeStamp - before.at < 1200 ? `${before.key} ${event.key}` : undefined;
  before = { key: event.key, at: event.timeStamp };
  const all = knownKeys();
  const key = (two && all.find(({ keys }) => keys === two)) || all.find(({ keys }) => keys === event.key);
  if (!key) return;
  before = undefined;
  event.preventDefault();
  key.run(event);
}
