import { useId } from "react";
import type { Schemas } from "@/api/client";
import { Mark } from "@/components/Mark";
import { type Decision, type Estimates, type Kind, benefitAt, ownOutcomes, parts, shown, would } from "./decide";
import { money } from "@/lib/format";

const STATES = { ship: "good", reject: "bad", undecided: "open" } as const;
const WORDS = { ship: "ships", reject: "rejected", undecided: "undecided" } as const;
const ASKS: Record<Kind, string> = {
  superiority: "how much better it must be",
  noninferiority: "how much worse it may be, where it saves",
  value: "what one more success is worth",
};

/** What guards are called on the page, by their metric. */
export type Labels = Readonly<Record<string, string>>;
export type Moved = Partial<Record<Kind, number>>;

/** What other settings would decide: one track a rule, coloured and labelled by what each setting decides. Moving one
 *  only tells; the verdict keeps the rule that was set before the run. */
export function WhatIf({ settings, labels, moved, move }: { settings: Schemas["OtherSettings"]; labels: Labels; moved: Moved; move: (kind: Kind, value: number | undefined) => void }) {
  return (
    <div>
      {settings.tracks.map((track) => (
        <Track key={track.kind} track={track} settings={settings} labels={labels} value={moved[track.kind as Kind]} move={(value) => move(track.kind as Kind, value)} />
      ))}
    </div>
  );
}

function Track({ track, settings, labels: known, value, move }: { track: Schemas["SettingTrack"]; settings: Schemas["OtherSettings"]; labels: Labels; value: number | undefined; move: (value: number | undefined) => void }) {
  const id = useId();
  const kind = track.kind as Kind;
  const found = settings.estimates;
  const at = Math.min(track.end, Math.max(0, value ?? track.start));
  const decision = would(found, kind, at);
  const cut = parts(found, track);
  const pc = (place: number) => `${(100 * place) / track.end}%`;
  const set = track.now !== null;
  const stood = value === undefined || value === track.now;
  const ticks = labels(track, at);
  return (
    <div className={`strip ${set ? "set" : ""}`}>
      <label htmlFor={id}>
        {kind[0]!.toUpperCase() + kind.slice(1)}
        <span className="fine">{set && "set before the run; "}{kind === "value" ? ASKS.value.replace("success", settings.thing) : ASKS[kind]}</span>
      </label>
      <div className="band">
        {cut.map(({ from, to, decision: one }, part) => (to - from) / track.end >= (one === "undecided" ? 0.11 : 0.08) && <span key={part} className={`tp ${STATES[one]}`} style={{ left: pc(from) }}>{WORDS[one]}</span>)}
        <div className="bar" aria-hidden="true">{cut.map(({ from, to, decision: one }, part) => <i key={part} className={STATES[one]} style={{ width: pc(to - from) }} />)}</div>
        {set && !stood && <i className="was" style={{ left: pc(track.now ?? 0) }} aria-hidden="true" />}
        <input
          id={id}
          type="range"
          min={0}
          max={track.end}
          step={10 ** -track.decimals / track.factor}
          value={at}
          aria-valuetext={`${shown(track, at)}: ${decision}`}
          aria-describedby={`${id}-out`}
          onChange={(event) => move(Number(event.target.value))}
          onDoubleClick={() => move(undefined)}
        />
        {ticks.map(({ at: place, text, strong }) => <span key={`${place} ${text}`} className={`tk ${place === 0 ? "first" : place === track.end ? "last" : ""}`} style={{ left: pc(place) }}>{strong ? <b>{text}</b> : text}</span>)}
      </div>
      <p className="out" id={`${id}-out`} aria-live="polite">
        <b className={STATES[decision]}><Mark state={STATES[decision]} /> {decision}</b> {because(kind, track, settings, known, at, decision)}
        {!stood && <> <button type="button" className="plain link mut" onClick={() => move(undefined)}>{set ? `back to ${shown(track, track.now ?? 0)}` : "back"}</button></>}
      </p>
    </div>
  );
}

/** Numbers under the track: its ends, where the verdict changes, where it stands; what has no room is left out. */
function labels(track: Schemas["SettingTrack"], at: number): { at: number; text: string; strong?: boolean }[] {
  const found = [{ at, text: shown(track, at, true), strong: true }];
  for (const place of [...track.breaks, 0, track.end]) {
    if (found.every((other) => Math.abs(other.at - place) / track.end > 0.07)) found.push({ at: place, text: shown(track, place, true), strong: false });
  }
  return found;
}

function because(kind: Kind, track: Schemas["SettingTrack"], settings: Schemas["OtherSettings"], known: Labels, at: number, decision: Decision): string {
  const found: Estimates = settings.estimates;
  const here = shown(track, at);
  const units = found.held.find(({ role }) => role === "units");
  if (units) return "whatever is set: there are too few independent examples.";
  const [own, saving] = ownOutcomes(found, kind, at) ?? [undefined];
  const inTheWay = found.held.filter(({ outcome }) => outcome === (decision === "reject" ? "reject" : "undecided"));
  if (own === undefined) return "no dollars are known for both variants.";
  if (own === "ship" && decision !== "ship" && inTheWay.length) {
    const named = inTheWay.map(({ role, metric }) => (role === "calibration" ? `the judge ${metric} is not calibrated` : role === "judged" ? "not all was judged" : `the guard on ${known[metric] ?? metric} ${decision === "reject" ? "is broken" : "is not shown"}`));
    return `at ${here}: ${named.join(", ")}.`;
  }
  if (kind === "value" && found.benefit) {
    const [net] = benefitAt(found.benefit, at);
    const even = settings.break_even ? ` Breaks even at ${settings.break_even}.` : "";
    return `at ${here}: ${net < 0 ? "short of it by" : "worth"} ${money(Math.abs(net))} per 1,000 net.${even}`;
  }
  const low = shown(track, found.low ?? 0);
  const high = shown(track, found.high ?? 0);
  if (kind === "superiority") {
    if (own === "ship") return `at ${here}: the low end, ${low}, is above it, and stays so up to ${low}.`;
    if (own === "reject") return `at ${here}: the high end, ${high}, is below it.`;
    return `at ${here}: it lies within the interval, ${low} to ${high}.`;
  }
  if (own === "reject") return `at ${here}: even the high end, ${high}, loses more.`;
  if (own === "undecided") return `at ${here}: the low end, ${low}, loses more.`;
  return saving === "ship" ? `at ${here}: not worse by more, and it saves.` : saving === "reject" ? `not worse by ${here}, but it saves nothing: ${settings.saving}.` : `not worse by ${here}, but no saving is shown: ${settings.saving}.`;
}
