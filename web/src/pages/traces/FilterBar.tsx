import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { useKeys } from "@/lib/keys";
import { type Suggestion, chip, fieldOf, halfway, lastToken, readFilter, suggestFields, suggestValues } from "./filter";
import { type Asked, useFacet } from "./questions";

const NO_FIELD = { name: "name", kind: "text", label: "", hint: "" } as const;

/** The filter: chips of what holds, and a box that completes fields and values. */
export function FilterBar({ asked, set }: { asked: Asked; set: (filter: readonly string[], text: string | undefined) => void }) {
  const { filter, text } = asked;
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  useKeys([{ keys: "f", does: "filter", run: () => input.current?.focus() }]);

  const token = useDeferredValue(lastToken(typed).token);
  const half = halfway(token);
  const values = useFacet(half?.field.name ?? NO_FIELD.name, { ...asked, filter: [] }, open && half?.field.facet === true, 100);
  const suggestions: Suggestion[] = !open ? [] : half ? suggestValues(half.field, half.sign, half.start, values.data ?? []) : suggestFields(token);
  useEffect(() => setAt(-1), [token]);

  const add = (written: string) => {
    const reading = readFilter(written);
    setProblem(reading.problem);
    if (reading.problem) return;
    if (reading.conditions.length || reading.words.length) {
      const words = [...(text ? [text] : []), ...reading.words].join(" ");
      set([...filter, ...reading.conditions.filter((one) => !filter.includes(one))], words || undefined);
    }
    setTyped("");
    setOpen(false);
  };
  const take = (one: Suggestion) => {
    const { before } = lastToken(typed);
    if (one.whole) add(before + one.text);
    else setTyped(before + one.text);
    input.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && suggestions.length) {
      event.preventDefault();
      setOpen(true);
      setAt((at + (event.key === "ArrowDown" ? 1 : -1) + suggestions.length + 1) % (suggestions.length + 1));
    } else if (event.key === "Tab" && open && typed && suggestions[Math.max(at, 0)]) {
      event.preventDefault();
      take(suggestions[Math.max(at, 0)] as Suggestion);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = suggestions[at];
      if (chosen) take(chosen);
      else add(typed);
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else input.current?.blur();
    } else if (event.key === "Backspace" && typed === "") {
      if (text) set(filter, undefined);
      else set(filter.slice(0, -1), text);
    }
  };
  const shown = open && suggestions.length > 0;
  return (
    <>
      {filter.map((one) => (
        <span key={one} className="chip" title={one}><span className="clip">{chip(one)}</span><button type="button" aria-label={`Remove ${chip(one)}`} onClick={() => set(filter.filter((other) => other !== one), text)}>×</button></span>
      ))}
      {text && <span className="chip"><span className="clip">{text}</span><button type="button" aria-label={`Remove the search for ${text}`} onClick={() => set(filter, undefined)}>×</button></span>}
      <div className="filter" onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false); }}>
        <input
          ref={input}
          type="text"
          autoComplete="off"
          spellCheck={false}
          aria-label="Filter"
          role="combobox"
          aria-expanded={shown}
          aria-controls={list}
          aria-activedescendant={shown && at >= 0 ? `${list}-${at}` : undefined}
          aria-invalid={problem !== undefined}
          aria-describedby={problem ? `${list}-problem` : undefined}
          placeholder={filter.length || text ? "and …" : 'model=… took>=2s cost>0.01 error=true "words in the text"'}
          value={typed}
          onFocus={() => setOpen(true)}
          onChange={(event) => { setTyped(event.target.value); setOpen(true); setProblem(undefined); }}
          onKeyDown={press}
        />
        {shown && (
          <ul id={list} role="listbox" aria-label="Completions">
            {suggestions.slice(0, 40).map((one, index) => (
              <li key={one.text} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseEnter={() => setAt(index)} onMouseDown={(event) => { event.preventDefault(); take(one); }}>
                <span className="mono clip flex-1">{one.label}</span><span className="fine nw">{half && fieldOf(half.field.name)?.kind === "text" ? one.hint : one.hint.slice(0, 60)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {problem && <p id={`${list}-problem`} className="fine bad basis-full" role="alert">{problem}.</p>}
    </>
  );
}
