import { type FormEvent, useState } from "react";
import { type Schemas, api, ask } from "@/api/client";
import { stale, useAsk } from "@/api/query";
import { useProject } from "@/api/session";
import { Code } from "@/components/Copy";
import { Confirm, Dialog } from "@/components/Dialog";
import { ProblemNote } from "@/components/Problem";
import { Empty, Section, Waiting } from "@/components/Section";
import { notify } from "@/components/Toast";
import { Time, useNow } from "@/components/Values";
import { millis } from "@/lib/time";
import { snippets } from "./snippets";

type Key = Schemas["Key"];
const RIGHTS = [
  ["ingest", "send traces"],
  ["read", "ask"],
  ["score", "give scores"],
  ["write", "datasets, runs, prices: what spends money"],
  ["admin", "members, keys, settings, erasure"],
] as const;
const LIVES = [["", "until it is revoked"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "a year"]] as const;

/** Keys of the project. A new one is shown once; revoking cannot be undone, so it asks. */
export function Keys() {
  const project = useProject();
  const keys = useAsk("/api/v1/keys");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["NewKey"]>();
  const [revoking, setRevoking] = useState<Key>();
  const now = useNow();
  if (keys.error) return <ProblemNote error={keys.error} retry={keys.refetch} />;
  if (!keys.data) return <Waiting />;
  const good = (key: Key) => !key.revoked_at && (!key.expires_at || millis(key.expires_at) > now);
  const sorted = [...keys.data].sort((one, other) => Number(good(other)) - Number(good(one)));

  const revoke = async (key: Key) => {
    try {
      await ask(api.DELETE("/api/v1/keys/{key}", { params: { path: { key: key.id } } }));
      notify(`Revoked ${key.name}: within two seconds nobody is let in by it.`);
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error));
    }
    stale("/api/v1/keys");
  };

  return (
    <Section title={`Keys of ${project?.name ?? "this project"}`} fine={<>A program sends its key as <code>Authorization: Bearer …</code>; our clients and commands read it from <code>BOXSCORE_API_KEY</code>. Only a hash is kept here.</>} tools={<button type="button" className="go" onClick={() => setMaking(true)}>Make a key</button>}>
      {keys.data.length === 0 ? (
        <Empty title="No keys yet. Who sends traces or asks over the API from another machine needs one." />
      ) : (
        <div className="scroll">
          <table className="mid">
            <thead><tr><th>name</th><th>ends in</th><th>may</th><th>made</th><th>holds until</th><td /></tr></thead>
            <tbody>
              {sorted.map((key) => (
                <tr key={key.id} className={good(key) ? "" : "text-ink-3"}>
                  <th scope="row" className={good(key) ? "" : "text-ink-3!"}>{key.name}</th>
                  <td className="mono">…{key.last_four}</td>
                  <td>{key.rights.join(", ")}</td>
                  <td><Time at={key.created_at} /> ago{key.created_by && ` by ${key.created_by.replace(/^user /, "")}`}</td>
                  <td>{key.revoked_at ? <>revoked <Time at={key.revoked_at} /> ago</> : key.expires_at ? good(key) ? <Time at={key.expires_at} /> : <>expired <Time at={key.expires_at} /> ago</> : "revoked"}</td>
                  <td className="num">{good(key) && <button type="button" onClick={() => setRevoking(key)}>Revoke</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <MakeKey open={making} close={() => setMaking(false)} done={(key) => { setMaking(false); setMade(key); stale("/api/v1/keys"); }} />
      <Dialog open={made !== undefined} close={() => setMade(undefined)} title={`The key ${made?.name ?? ""}`} wide>
        {made && (
          <>
            <p className="mb-2 text-data"><b>It is shown this once.</b> Put it where your secrets are; who has it may {made.rights.join(", ")} in {project?.name ?? made.project}.</p>
            <Code text={made.secret} label="The key" />
            {made.rights.includes("ingest") && <><h3 className="mt-4">From Python</h3><Code text={snippets(location.origin, made.secret)[0]?.text ?? ""} /></>}
            <div className="mt-4 text-right"><button type="button" className="go" onClick={() => setMade(undefined)}>I have it</button></div>
          </>
        )}
      </Dialog>
      <Confirm open={revoking !== undefined} close={() => setRevoking(undefined)} title={`Revoke ${revoking?.name ?? ""}?`} verb="Revoke it" act={() => revoking && revoke(revoking)}>
        Every program that uses the key …{revoking?.last_four} is refused from then on. This cannot be undone: a new key is another one.
      </Confirm>
    </Section>
  );
}

function MakeKey({ open, close, done }: { open: boolean; close: () => void; done: (key: Schemas["NewKey"]) => void }) {
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const days = Number(form.get("days"));
    setError(undefined);
    try {
      done(
        await ask(
          api.POST("/api/v1/keys", {
            body: { name: String(form.get("name")), rights: form.getAll("right") as Key["rights"], expires_at: days ? new Date(Date.now() + days * 86_400_000).toISOString() : null },
          }),
        ),
      );
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <Dialog open={open} close={close} title="Make a key">
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>Name <input name="name" required maxLength={100} placeholder="support desk, production" autoFocus /></label>
        <fieldset className="grid gap-1 text-data">
          <legend className="mb-1">It may</legend>
          {RIGHTS.map(([right, words]) => <label key={right} className="flex! items-baseline gap-2"><input type="checkbox" name="right" value={right} defaultChecked={right === "ingest"} /><b className="font-medium">{right}</b><span className="mut">{words}</span></label>)}
        </fieldset>
        <label>It holds <select name="days">{LIVES.map(([days, words]) => <option key={days} value={days}>{words}</option>)}</select></label>
        {error !== undefined && <ProblemNote error={error} />}
        <div className="flex justify-end gap-2"><button type="button" onClick={close}>Leave it</button><button type="submit" className="go">Make the key</button></div>
      </form>
    </Dialog>
  );
}
