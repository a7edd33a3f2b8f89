import { copy } from "./Values";

/** Commands or code, as text, with a button that copies them. */
export function Code({ text, label }: { text: string; label?: string }) {
  return (
    <div className="relative">
      <pre className="code" tabIndex={0} aria-label={label}><code>{text}</code></pre>
      <button type="button" className="absolute top-1.5 right-1.5 h-6 px-2 text-fine" onClick={() => void copy(text)}>Copy</button>
    </div>
  );
}
