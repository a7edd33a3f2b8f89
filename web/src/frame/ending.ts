const listeners = new Set<() => void>();

/** Whether a session that was there is there no more. */
export const sessionEnd = {
  over: false,
  set(over: boolean): void {
    if (over === sessionEnd.over) return;
    sessionEnd.over = over;
    for (const listener of listeners) listener();
  },
};

export function onSessionEnd(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
