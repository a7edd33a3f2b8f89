import { useEffect, useRef, useState } from "react";
import { currentProject } from "./client";
import { answered, unanswered } from "./connection";
import { stale } from "./query";
import { writeQuery } from "@/lib/params";

export type Liveness = "connecting" | "live" | "waiting" | "off";

/** Server-sent events of a path while the component is there. Connects again by itself, with growing pauses and from
 *  the last event on; `hear` gets the event's name and its JSON. */
export function useLive(path: string | null, query: Record<string, unknown>, names: readonly string[], hear: (name: string, data: unknown) => void): Liveness {
  const [state, setState] = useState<Liveness>(path === null ? "off" : "connecting");
  const heard = useRef(hear);
  heard.current = hear;
  const asked = path === null ? null : path + writeQuery({ project: currentProject(), ...query });
  const listed = names.join(" ");

  useEffect(() => {
    if (asked === null) {
      setState("off");
      return;
    }
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let pause = 500;
    let missed = false;
    const connect = () => {
      source = new EventSource(asked);
      source.onopen = () => {
        pause = 500;
        setState("live");
        answered();
        if (missed) stale(); // a server that was started again does not know what has come meanwhile
        missed = false;
      };
      source.onerror = () => {
        setState("waiting");
        missed = true;
        void fetch("/health/live", { cache: "no-store" }).catch(unanswered);
        if (source?.readyState !== EventSource.CLOSED) return; // the browser connects again, from the last event on
        again = setTimeout(connect, pause);
        pause = Math.min(pause * 2, 10_000);
      };
      for (const name of listed.split(" ")) {
        source.addEventListener(name, (event) => {
          heard.current(name, JSON.parse((event as MessageEvent<string>).data || "null"));
        });
      }
    };
    setState("connecting");
    connect();
    return () => {
      clearTimeout(again);
      source?.close();
    };
  }, [asked, listed]);
  return state;
}
