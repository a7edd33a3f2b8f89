import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { read } from "./Drawing";

const drawn = (svg: string) => renderToStaticMarkup(createElement("g", {}, ...read(svg)));

describe("a drawing of the server", () => {
  it("comes out as it went in", () => {
    const svg = '<svg class="wide" viewBox="0 0 532 268" aria-hidden="true"><text x="1" text-anchor="end">a &amp; &lt;b&gt;</text><g class="v1" data-place="1"><title>one: 3</title><path class="whisk" d="M1 2V3"></path></g></svg>';

    expect(drawn(svg)).toBe(`<g>${svg}</g>`);
  });

  it("keeps nothing that could do something", () => {
    const svg = '<svg onload="alert(1)" style="x" href="javascript:x"><script>alert(1)</script><image href="http://x"/><a href="x"><text>shown?</text></a><foreignObject><p>x</p></foreignObject><text>kept</text></svg>';

    expect(drawn(svg)).toBe("<g><svg><text>kept</text></svg></g>");
  });

  it("shows text that looks like markup as text", () => {
    expect(drawn("<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>")).toBe("<g><text>&lt;script&gt;alert(1)&lt;/script&gt;</text></g>");
  });

  it("ends where what it was given ends", () => {
    expect(drawn("</g><g><text>open")).toBe("<g><g><text>open</text></g></g>");
  });
});
