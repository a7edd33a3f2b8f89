import { type ReactNode, createElement, useMemo } from "react";

const TAGS = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title"]);
const NAMES: Record<string, string> = { class: "className", "text-anchor": "textAnchor", "stroke-width": "strokeWidth", "aria-hidden": "aria-hidden", "data-place": "data-place", viewBox: "viewBox" };
const PLAIN = new Set(["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"]);
const TOKEN = /<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<>]*")*)\s*(\/?)>|([^<]+)/g;
const ATTRIBUTE = /([\w-]+)="([^"]*)"/g;
const SIGNS: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'", "&amp;": "&" };

/** A chart that the server drew, the same as in the report. */
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

interface Open {
  tag: string;
  props: Record<string, unknown>;
  inside: ReactNode[];
}

/** The drawing's own few elements and attributes, built anew: the browser is given no markup to read, and nothing that
 *  could do anything gets through. */
export function read(svg: string): ReactNode[] {
  const root: Open = { tag: "g", props: {}, inside: [] };
  const opened = [root];
  for (const [, closing, tag, attributes = "", alone, text] of svg.matchAll(TOKEN)) {
    const around = opened.at(-1) ?? root;
    if (tag === undefined) {
      around.inside.push(plain(text ?? ""));
    } else if (closing) {
      if (opened.length > 1) close(opened);
    } else {
      opened.push({ tag, props: { key: around.inside.length, ...known(attributes) }, inside: [] });
      if (alone) close(opened);
    }
  }
  while (opened.length > 1) close(opened);
  return root.inside;
}

function close(opened: Open[]): void {
  const { tag, props, inside } = opened.pop()!;
  if (!TAGS.has(tag)) return;
  opened.at(-1)!.inside.push(tag === "title" ? createElement(tag, props, inside.filter((one) => typeof one === "string").join("")) : createElement(tag, props, ...inside));
}

function known(attributes: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = "", value = ""] of attributes.matchAll(ATTRIBUTE)) {
    const as = NAMES[name] ?? (PLAIN.has(name) ? name : undefined);
    if (as) found[as] = plain(value);
  }
  return found;
}

function plain(text: string): string {
  return text.replace(/&(?:lt|gt|quot|amp|#x27|#39);/g, (sign) => SIGNS[sign] ?? sign);
}
