import { type PointerEvent, useRef, useState } from "react";
import { counted } from "@/lib/format";
import { DAY, absolute, clock, dayOfMonth } from "@/lib/time";
import { readableDuration } from "./filter";
import { type Asked, BINS, useClose } from "./questions";

const HEIGHT = 36;

/** Rows over time, errors at the foot. Drawing over it chooses a range. */
export function TimeBars({ asked, choose }: { asked: Asked; choose: (startNs: number, endNs: number) => void }) {
  const { data, step, range: { startNs, endNs } } = useClose(asked);
  const svg = useRef<SVGSVGElement>(null);
  const [drawn, setDrawn] = useState<[number, number]>();
  const bins = data ?? [];
  const most = Math.max(1, ...bins.map(({ spans }) => spans));
  const x = (ns: number) => ((ns - startNs) / (endNs - startNs)) * 1000;
  const place = (event: PointerEvent) => {
    const box = svg.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) : 0;
  };
  const noun = asked.tab === "spans" ? "spans" : "traces";
  const at = (ns: number) => (endNs - startNs > 2 * DAY ? dayOfMonth(ns) : endNs - startNs > DAY / 2 ? `${dayOfMonth(ns)} ${clock(ns)}` : clock(ns));
  if (data !== undefined && bins.length === 0) return null;
  const errors = bins.reduce((sum, bin) => sum + bin.errors, 0);
  const all = bins.reduce((sum, bin) => sum + bin.spans, 0);
  return (
    <div>
      <svg
        ref={svg}
        className="brush"
        viewBox={`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${counted(all, noun.slice(0, -1))} over time, ${counted(errors, "error")}`}
        onPointerDown={(event) => { if (event.button === 0) { event.currentTarget.setPointerCapture(event.pointerId); const from = place(event); setDrawn([from, from]); } }}
        onPointerMove={(event) => { if (drawn) setDrawn([drawn[0], place(event)]); }}
        onPointerCancel={() => setDrawn(undefined)}
        onPointerUp={() => {
          if (!drawn) return;
          const [from, to] = [Math.min(...drawn), Math.max(...drawn)];
          setDrawn(undefined);
          if (to - from > 0.005) choose(startNs + from * (endNs - startNs), startNs + to * (endNs - startNs));
        }}
      >
        {bins.map((bin) => {
          const width = Math.max(1, 1000 / BINS - 1.6);
          const height = Math.max(2, (bin.spans / most) * (HEIGHT - 2));
          const foot = bin.errors ? Math.max(3, (bin.errors / most) * (HEIGHT - 2)) : 0;
          return (
            <g key={bin.start_ns}>
              <rect x={x(bin.start_ns)} width={width} y={HEIGHT - height} height={height} fill="var(--rule)"><title>{`${absolute(bin.start_ns)}: ${counted(bin.spans, noun.slice(0, -1))}${bin.errors ? `, ${counted(bin.errors, "error")}` : ""}`}</title></rect>
              {foot > 0 && <rect x={x(bin.start_ns)} width={width} y={HEIGHT - foot} height={foot} fill="var(--bad)" pointerEvents="none" />}
            </g>
          );
        })}
        {drawn && <rect x={1000 * Math.min(...drawn)} width={1000 * Math.abs(drawn[1] - drawn[0])} y="0" height={HEIGHT} fill="var(--accent)" fillOpacity="0.18" />}
      </svg>
      <p className="fine mb-3 flex justify-between gap-3 border-t border-rule pt-0.5">
        <span className="nw">{at(startNs)}</span>
        <span className="clip">{noun} by {about(step)}{errors > 0 && "; orange foot: an error"}; draw over it to look closer</span>
        <span className="nw">{at(endNs)}</span>
      </p>
    </div>
  );
}

function about(ns: number): string {
  for (const [unit, size] of [["h", 3600e9], ["min", 60e9], ["s", 1e9]] as const) if (ns >= size) return `${Math.round((10 * ns) / size) / 10} ${unit}`;
  return readableDuration(ns);
}
