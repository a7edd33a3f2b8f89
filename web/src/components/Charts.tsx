import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { goTo } from "@/lib/go";
import { niceBound } from "@/lib/format";
import { DAY, ticks } from "@/lib/time";

/** Charts of our own in SVG: few, small, every point a link to its rows, labels where legends would be. */

const SERIES = ["var(--v1)", "var(--v4)", "var(--v2)", "var(--v3)", "var(--v0)"] as const;
export const AREAS = ["var(--f1)", "var(--f4)", "var(--f2)", "var(--f3)", "var(--f0)"] as const;

interface Frame {
  /** What the chart shows, in words: its name to who cannot see it. */
  name: string;
  height?: number;
  /** How a value on the left axis is written. */
  label: (value: number) => string;
  /** How a place on the bottom axis is written. */
  tick: (at: number) => string;
}

export interface Bar {
  at: number;
  /** From the ground up. */
  parts: readonly { series: number; value: number }[];
  title: string;
  href?: string;
}

const LEFT = 46;
const FOOT = 24;
const TOP = 12;

/** The width that a chart has, so that its words are never scaled; a guess before it is drawn. */
function useWidth(guess: number) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(guess);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setWidth(Math.max(240, Math.round(element.clientWidth)));
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(element);
    return () => watching.disconnect();
  }, []);
  return [box, width] as const;
}

/** Stacked bars over time. `names` are those of the series, written beside the last bar. */
export function Bars({ name, bars, names, from, to, step, label, tick, height = 170 }: Frame & { bars: readonly Bar[]; names: readonly string[]; from: number; to: number; step: number }) {
  const [box, width] = useWidth(400);
  const legend = names.length > 1 && width > 600 ? 190 : 0;
  const most = niceBound(Math.max(0, ...bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))));
  const right = width - legend;
  const x = (at: number) => LEFT + ((at - from) / (to - from)) * (right - LEFT);
  const y = (value: number) => height - FOOT - (value / most) * (height - FOOT - TOP);
  const thick = Math.max(1, x(from + step) - x(from) - (x(from + step) - x(from) > 6 ? 2 : 0));
  return (
    <div ref={box}>
      <svg className="chart" viewBox={`0 0 ${width} ${height}`} role={bars.some(({ href }) => href) ? "group" : "img"} aria-label={name} onKeyDown={walk}>
        <Ground left={LEFT} right={right} y={y} values={[0, most / 2, most]} label={label} />
        {bars.map((bar, index) => {
          let sum = 0;
          const drawn = bar.parts.map(({ series, value }) => {
            const foot = y(sum);
            sum += value;
            return <rect key={series} x={x(bar.at) + 1} width={thick} y={y(sum)} height={Math.max(0, foot - y(sum))} fill={AREAS[series % AREAS.length]} />;
          });
          return <Point key={bar.at} href={bar.href} title={bar.title} first={index === 0}><rect x={x(bar.at)} width={thick + 2} y={TOP} height={height - FOOT - TOP} fill="transparent" /><g className="mark">{drawn}</g></Point>;
        })}
        {ticks(from, to, width > 600 ? 10 : 5).map((at) => <text key={at} x={Math.max(x(at) + (step >= DAY ? thick / 2 : 0), LEFT)} y={height - 6} textAnchor="middle">{tick(at)}</text>)}
        {legend > 0 && names.map((one, series) => (
          <g key={one} transform={`translate(${right + 12} ${height - FOOT - 12 - series * 18})`}>
            <rect width="10" height="10" fill={AREAS[series % AREAS.length]} />
            <text className="l2" x="15" y="9">{one.length > 26 ? `${one.slice(0, 25)}…` : one}<title>{one}</title></text>
          </g>
        ))}
      </svg>
      {names.length > 1 && legend === 0 && <p className="fine flex flex-wrap gap-x-3 pt-1">{names.map((one, series) => <span key={one}><svg width="10" height="10" aria-hidden="true" className="inline"><rect width="10" height="10" fill={AREAS[series % AREAS.length]} /></svg> {one}</span>)}</p>}
    </div>
  );
}

export interface Line {
  name: string;
  points: readonly { at: number; value: number; low?: number; high?: number; title: string; href?: string }[];
  color?: string;
  /** Said at the end of the line. */
  last?: string;
}

/** Lines over time, with a band where their values are estimates. */
export function Lines({ name, lines, from, to, step, label, tick, height = 170, floor = 0 }: Frame & { lines: readonly Line[]; from: number; to: number; step: number; floor?: number }) {
  const [box, width] = useWidth(400);
  const right = width - 76;
  const most = niceBound(Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value, high }) => high ?? value))));
  const x = (at: number) => LEFT + ((at + step / 2 - from) / (to - from)) * (right - LEFT);
  const y = (value: number) => height - FOOT - ((value - floor) / (most - floor || 1)) * (height - FOOT - TOP);
  const said: number[] = [];
  return (
    <div ref={box}>
      <svg className="chart" viewBox={`0 0 ${width} ${height}`} role={lines.some(({ points }) => points.some(({ href }) => href)) ? "group" : "img"} aria-label={name} onKeyDown={walk}>
      <Ground left={LEFT} right={right} y={y} values={[floor, (floor + most) / 2, most]} label={label} />
      {lines.map(({ name: one, points, color = SERIES[lines.findIndex((line) => line.name === one) % SERIES.length], last }) => {
        const end = points.at(-1);
        const banded = points.filter((point) => point.low !== undefined && point.high !== undefined);
        let at = end ? y(end.value) + 4 : 0;
        while (said.some((other) => Math.abs(other - at) < 14)) at += 14;
        said.push(at);
        return (
          <g key={one}>
            {banded.length > 1 && <path d={`M${banded.map((point) => `${x(point.at)} ${y(point.high ?? 0)}`).join("L")}L${[...banded].reverse().map((point) => `${x(point.at)} ${y(point.low ?? 0)}`).join("L")}Z`} fill={color} fillOpacity="0.2" />}
            {banded.length === 1 && banded.map((point) => <line key={point.at} x1={x(point.at)} x2={x(point.at)} y1={y(point.low ?? 0)} y2={y(point.high ?? 0)} stroke={color} strokeOpacity="0.5" />)}
            {points.length > 1 && <path d={`M${points.map((point) => `${x(point.at)} ${y(point.value)}`).join("L")}`} fill="none" stroke={color} strokeWidth="1.5" />}
            {points.map((point, index) => <Point key={point.at} href={point.href} title={`${one}, ${point.title}`} first={index === 0}><circle cx={x(point.at)} cy={y(point.value)} r="6" fill="transparent" /><circle className="mark" cx={x(point.at)} cy={y(point.value)} r={points.length > 40 ? 1 : 2} fill={color} /></Point>)}
            {end && <text className="lab" x={right + 6} y={at}>{last ?? one}</text>}
          </g>
        );
      })}
      {ticks(from, to, 4).map((at) => <text key={at} x={x(at - step / 2)} y={height - 6} textAnchor="middle">{tick(at)}</text>)}
    </svg>
    </div>
  );
}

function Ground({ left, right, y, values, label }: { left: number; right: number; y: (value: number) => number; values: readonly number[]; label: (value: number) => string }) {
  return values.map((value, at) => (
    <g key={value}>
      <line className={at === 0 ? "ax" : "gr"} x1={left} x2={right} y1={y(value)} y2={y(value)} />
      <text x={left - 6} y={y(value) + 4} textAnchor="end">{label(value)}</text>
    </g>
  ));
}

/** The first point of a series is reached by the tab key, the others by arrows from it. */
function Point({ href, title, first, children }: { href?: string; title: string; first: boolean; children: ReactNode }) {
  const body = <>{children}<title>{title}</title></>;
  return href ? <a href={href} aria-label={title} tabIndex={first ? 0 : -1} onClick={(event) => { if (!event.metaKey && !event.ctrlKey && !event.shiftKey) { event.preventDefault(); goTo(href); } }}>{body}</a> : <g>{body}</g>;
}

function walk(event: KeyboardEvent<SVGSVGElement>): void {
  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
  const all = [...event.currentTarget.querySelectorAll<SVGAElement>("a")];
  const next = all[all.indexOf(document.activeElement as Element as SVGAElement) + (event.key === "ArrowRight" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** A horizontal bar in a table's row: a share of the largest. */
export function Share({ of, color = "var(--f0)", width = 90 }: { of: number; color?: string; width?: number }) {
  return <svg width={width} height="8" aria-hidden="true" className="inline-block"><rect width={Math.max(of > 0 ? 1 : 0, of * width)} height="8" fill={color} /></svg>;
}

/** Progress with its words beside it. */
export function Progress({ of, name }: { of: number; name: string }) {
  return (
    <svg width="96" height="8" role="progressbar" aria-label={name} aria-valuenow={Math.round(of * 100)} aria-valuemin={0} aria-valuemax={100} className="inline-block">
      <rect width="96" height="8" fill="var(--rule-2)" />
      <rect width={Math.min(1, of) * 96} height="8" fill="var(--f0)" />
    </svg>
  );
}
