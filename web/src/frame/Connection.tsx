import { useSyncExternalStore } from "react";
import { onConnection, silentSince } from "@/api/connection";
import { useNow } from "@/components/Values";

/** Says that the server does not answer, and goes by itself when it does again. */
export function Connection() {
  const since = useSyncExternalStore(onConnection, silentSince);
  const now = useNow();
  if (since === undefined) return null;
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  return (
    <div className="banner" role="status">
      <b>The server does not answer{seconds >= 10 ? ` since ${seconds} s` : ""}.</b>
      <span>What is shown stays; this page asks again by itself. Was it stopped? <code>boxscore serve</code> starts it.</span>
    </div>
  );
}
