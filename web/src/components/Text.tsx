import { useState } from "react";
import { count } from "@/lib/format";

const LONG = 4_000;

/** Somebody's text, shown as it is: never Markdown, never HTML, no image, no link. Long ones are folded, and characters
 *  that change the direction or hide others are made visible. */
export function Text({ text, className = "" }: { text: string; className?: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? text : text.slice(0, LONG);
  return (
    <div className={`txt ${className}`} dir="auto">
      {visible(shown)}
      {shown.length < text.length && (
        <button type="button" className="plain link mut block" onClick={() => setAll(true)}>{count(text.length - shown.length)} more characters</button>
      )}
    </div>
  );
}

const HIDDEN = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]|[\u{e0000}-\u{e007f}]/gu;

/** The text with what cannot be seen written as its code, as in `⟨U+202E⟩`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (hidden) => `⟨U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
