import { useSyncExternalStore } from "react";

interface Told {
  id: number;
  text: string;
  undo?: () => unknown;
}

let told: readonly Told[] = [];
let last = 0;
const listeners = new Set<() => void>();
const set = (next: readonly Told[]) => {
  told = next;
  for (const listener of listeners) listener();
};
const drop = (id: number) => set(told.filter((one) => one.id !== id));

/** Says what was done, for a while; with a way back where there is one. */
export function notify(text: string, undo?: () => unknown): void {
  const id = ++last;
  set([...told.slice(-2), { id, text, undo }]);
  setTimeout(() => drop(id), undo ? 10_000 : 5_000);
}

export function Toasts() {
  const shown = useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => told);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, undo }) => (
        <div key={id} className="toast">
          <span>{text}</span>
          {undo && <button type="button" onClick={() => { drop(id); undo(); }}>Undo</button>}
        </div>
      ))}
    </div>
  );
}
