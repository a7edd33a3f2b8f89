import { type ReactNode, createElement, useMemo } from "react";

const TAGS = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title"]);
const NAMES: Record<string, string> = { class: "className", "text-anchor": "textAnchor", "stroke-width": "strokeWidth", "aria-hidden": "aria-hidden", "data-place": "data-place", viewBox: "viewBox" };
const PLAIN = new Set(["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"]);

/** A chart that the server drew, the same as in the report. It is read as data and built anew from few elements and
 *  attributes that cannot do anything, so that nothing in it is ever run. */
export function Drawing({ svg, words, className = "", open }: { svg: string; words: string; className?: string; open?: (place: number) => void }) {
  const drawn = useMemo(() => read(svg), [svg]);
  return (
    <figure
      className={`drawing ${className}`}
      role="img"
      aria-label={words}
      onClick={(event) => {
        const place = (event.target as Element).closest("[data-place]")?.getAttribute("data-place");
        if (open && place) open(Number(place));
      }}
    >
      {drawn}
    </figure>
  );
}

export function read(svg: string): ReactNode {
  const parsed = new DOMParser().parseFromString(`<g xmlns="http://www.w3.org/2000/svg">${svg}</g>`, "image/svg+xml");
  if (parsed.querySelector("parsererror")) return null;
  return [...parsed.documentElement.childNodes].map(element);
}

function element(node: ChildNode, at: number): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element) || !TAGS.has(node.tagName)) return null;
  const props: Record<string, unknown> = { key: at };
  for (const { name, value } of node.attributes) {
    const known = NAMES[name] ?? (PLAIN.has(name) ? name : undefined);
    if (known) props[known] = value;
  }
  const inside = [...node.childNodes].map(element);
  return createElement(node.tagName, props, ...(node.tagName === "title" ? [node.textContent ?? ""] : inside));
}
