/** States: shown better, shown worse, not decided, no statement. Always a word or a shape beside the colour. */
export type State = "good" | "bad" | "open" | "none";

export function Mark({ state, title }: { state: State; title?: string }) {
  return (
    <svg className={`mk ${state === "none" ? "ink2" : state}`} viewBox="0 0 10 10" role={title ? "img" : undefined} aria-hidden={title ? undefined : true} aria-label={title}>
      {state === "good" && <circle cx="5" cy="5" r="4.5" fill="currentColor" />}
      {state === "bad" && <path d="M5 0 10 5 5 10 0 5z" fill="currentColor" />}
      {state === "open" && <circle cx="5" cy="5" r="3.9" fill="none" stroke="currentColor" strokeWidth="1.6" />}
      {state === "none" && <path d="M1 5h8" stroke="currentColor" strokeWidth="2" />}
    </svg>
  );
}

const STATES: Record<string, State> = { ship: "good", reject: "bad", undecided: "open" };

/** `● ship`, `◆ reject`, `○ undecided`: the word with its shape; a dash for what was never compared. */
export function Verdict({ verdict, stamp }: { verdict: string | null | undefined; stamp?: boolean }) {
  const state = STATES[verdict ?? ""] ?? "none";
  const word = verdict ?? "not compared";
  if (!stamp) {
    return (
      <span className={`nw ${state === "none" ? "ink2" : `font-semibold ${state}`}`}>
        <Mark state={state} /> {word}
      </span>
    );
  }
  return (
    <span className={`inline-flex h-8 items-center gap-2 text-section font-bold tracking-[0.06em] uppercase ${state}`}>
      <svg width="18" height="18" viewBox="0 0 10 10" aria-hidden="true">
        {state === "good" && <circle cx="5" cy="5" r="4.5" fill="currentColor" />}
        {state === "bad" && <path d="M5 0 10 5 5 10 0 5z" fill="currentColor" />}
        {state === "open" && <circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" strokeWidth="1.4" />}
      </svg>
      {word}
    </span>
  );
}
