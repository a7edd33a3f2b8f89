import { useSyncExternalStore } from "react";
import { Dialog } from "@/components/Dialog";
import { SignIn } from "@/pages/access/SignIn";
import { onSessionEnd, sessionEnd } from "./ending";

/** A session that ends while a page is open is renewed over the page, so that nothing on it is lost. */
export function SessionEnded() {
  const ended = useSyncExternalStore(onSessionEnd, () => sessionEnd.over);
  return (
    <Dialog open={ended} title="Your session has ended">
      <p className="mb-3 text-data">Sign in to go on. What you have on this page stays.</p>
      <SignIn done={() => sessionEnd.set(false)} />
    </Dialog>
  );
}
