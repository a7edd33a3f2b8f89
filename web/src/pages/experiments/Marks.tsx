import type { Schemas } from "@/api/client";
import type { State } from "@/components/Mark";
import { useNow } from "@/components/Values";
import { absolute, relative } from "@/lib/time";

/** The mark of a variant by its place: baseline, candidate, then those also run; the same on all charts of a page. */
export function VariantMark({ place }: { place: number }) {
  const colour = `var(--v${place < 5 ? place : 2 + ((place - 2) % 3)})`;
  const shape = place < 6 ? place : 2 + ((place - 2) % 4);
  const line = { fill: "none", stroke: colour, strokeWidth: 2 };
  return (
    <svg className="mk" viewBox="0 0 10 10" aria-hidden="true">
      {shape === 0 && <circle cx="5" cy="5" r="3.6" {...line} />}
      {shape === 1 && <circle cx="5" cy="5" r="4.6" fill={colour} />}
      {shape === 2 && <path d="M1.4 1.4h7.2v7.2H1.4z" {...line} />}
      {shape === 3 && <path d="M5 1 9.2 8.6H.8z" {...line} />}
      {shape === 4 && <path d="M5 9 .8 1.4h8.4z" {...line} />}
      {shape === 5 && <path d="M1.4 1.4 8.6 8.6M8.6 1.4 1.4 8.6" {...line} />}
    </svg>
  );
}

/** The state of a spot as the marks know it; `plain` makes no statement. */
export function stateOf(state: string): State {
  return state === "good" || state === "bad" || state === "open" ? state : "none";
}

/** An estimate around a zero line: whisker, shape, and what is shaded. Places are from 0 to 1. */
export function SpotLine({ spot, band, words }: { spot: Schemas["Spot"]; band?: readonly number[] | null; words: string }) {
  const pc = (at: number) => `${(100 * at).toFixed(2)}%`;
  const kind = spot.state === "plain" ? "ink2" : spot.state;
  return (
    <svg className="iv tall" role="img" aria-label={words}>
      {band?.length === 2 && <rect className="shade" x={pc(band[0]!)} y="0" width={pc(band[1]! - band[0]!)} height="28" />}
      <line className="zero" x1="50%" x2="50%" y1="0" y2="28" />
      <g className={kind} stroke="currentColor" fill="currentColor">
        {spot.low !== null && spot.high !== null && (
          <>
            <line x1={pc(spot.low)} x2={pc(spot.high)} y1="14" y2="14" strokeWidth="2" />
            {[spot.low, spot.high].map((end, at) => <line key={at} x1={pc(end)} x2={pc(end)} y1="10" y2="18" />)}
          </>
        )}
        {spot.state === "good" && <circle cx={pc(spot.at)} cy="14" r="4.5" stroke="none" />}
        {spot.state === "bad" && <svg x={pc(spot.at)} y="14" overflow="visible"><path d="M0-6 6 0 0 6-6 0z" stroke="none" /></svg>}
        {spot.state === "open" && <circle cx={pc(spot.at)} cy="14" r="4" className="hole" strokeWidth="2" />}
        {spot.state === "plain" && <line x1={pc(spot.at)} x2={pc(spot.at)} y1="8" y2="20" strokeWidth="2" />}
      </g>
    </svg>
  );
}

/** The headline of a verdict: its numbers are what the eye should catch. */
export function Said({ said }: { said: readonly Schemas["Phrase"][] }) {
  return said.map(({ text, strong }, at) => (strong ? <b key={at}>{text}</b> : <span key={at}>{text}</span>));
}

/** `14 min ago`, `now`, and the day itself where it is long ago. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span className="mut">·</span>;
  const said = relative(at, Math.max(now, Date.now()));
  return <time className="nw" dateTime={at} title={absolute(at)}>{/^\d+ (s|min|h|d)$/.test(said) ? `${said} ago` : said}</time>;
}
