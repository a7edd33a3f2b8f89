/** Whether the server answers: one truth for the banner, the live streams and the questions. */

type Listener = () => void;
const listeners = new Set<Listener>();
let since: number | undefined;
let probing: ReturnType<typeof setTimeout> | undefined;

/** Since when the server has not answered, undefined while it does. */
export function silentSince(): number | undefined {
  return since;
}

export function onConnection(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function answered(): void {
  if (since === undefined) return;
  since = undefined;
  clearTimeout(probing);
  probing = undefined;
  for (const listener of listeners) listener();
}

export function unanswered(): void {
  if (since === undefined) {
    since = Date.now();
    for (const listener of listeners) listener();
  }
  probing ??= setTimeout(() => void probe(), 1000);
}

async function probe(): Promise<void> {
  probing = undefined;
  try {
    const reply = await fetch("/health/live", { cache: "no-store" });
    if (reply.ok) return answered();
  } catch {
    // still silent
  }
  unanswered();
}
