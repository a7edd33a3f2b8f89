import { useSyncExternalStore } from "react";
import { count, duration, money, shortId } from "@/lib/format";
import { absolute, millis, relative } from "@/lib/time";
import { notify } from "./Toast";

type Maybe<Value> = Value | null | undefined;
const absent = <span className="mut" title="not known">·</span>;

/** Dollars, `title` the exact amount. */
export function Money({ usd }: { usd: Maybe<string | number> }) {
  return usd === null || usd === undefined ? absent : <span className="nw" title={`$${usd}`}>{money(usd)}</span>;
}

export function Count({ value }: { value: Maybe<number> }) {
  return value === null || value === undefined ? absent : <>{count(value)}</>;
}

export function Duration({ ns, seconds }: { ns?: Maybe<number>; seconds?: Maybe<number> }) {
  const found = seconds ?? (ns === null || ns === undefined ? undefined : ns / 1e9);
  return found === undefined ? absent : <span className="nw">{duration(found)}</span>;
}

// one clock for all relative times of a page
let now = Date.now();
const clocks = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
function onTick(tell: () => void): () => void {
  clocks.add(tell);
  ticking ??= setInterval(() => {
    now = Date.now();
    for (const clock of clocks) clock();
  }, 10_000);
  return () => {
    clocks.delete(tell);
    if (clocks.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The time of the page's clock, in milliseconds; moves every ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(onTick, () => now);
}

/** How long ago, with the moment itself on hover. Nanoseconds or ISO. `ago` says the word too, where no head does. */
export function Time({ at, ago }: { at: Maybe<number | string>; ago?: boolean }) {
  const current = useNow();
  if (at === null || at === undefined) return absent;
  const said = relative(at, Math.max(current, Date.now()));
  return (
    <time className="nw" dateTime={new Date(millis(at)).toISOString()} title={absolute(at)}>
      {ago && /^\d+ (s|min|h|d)$/.test(said) ? `${said} ago` : said}
    </time>
  );
}

export async function copy(text: string, what = "Copied"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what}.`);
  } catch {
    notify("The browser lets this page copy nothing here; select the text instead.");
  }
}

/** A short id; a click copies the whole. */
export function Id({ id }: { id: Maybe<string> }) {
  if (!id) return absent;
  return (
    <button type="button" className="plain mono nw" title={`${id}: click copies it`} onClick={(event) => { event.preventDefault(); event.stopPropagation(); void copy(id, `Copied ${shortId(id)}`); }}>
      {shortId(id)}
    </button>
  );
}
