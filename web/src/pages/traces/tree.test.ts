import { describe, expect, test } from "vitest";
import { type Outline, allFolded, dearest, depthsOf, endsOf, errorsOf, found, huesOf, marks, nextOf, sentence, slowest, unfoldedTo, visibleRows } from "./tree";

// 0 ticket ─ 1 classify
//          ├ 2 retrieve ─ 3 embed
//          └ 4 draft
const outline = {
  spans: 5,
  words: ["ticket", "classify", "retrieve", "embed", "draft", "gpt", "claude"],
  heaviest: { name: "draft", time: 0.72, cost: 0.98 },
  columns: {
    span_id: ["a0", "a1", "a2", "a3", "a4"],
    parent: [-1, 0, 0, 2, 0],
    name: [0, 1, 2, 3, 4],
    step: [-1, -1, -1, -1, -1],
    operation: [-1, -1, -1, -1, -1],
    model: [-1, 5, -1, -1, 6],
    offset_ns: [0, 1, 2, 3, 4],
    own_ns: [1, 5, 2, 3, 40],
    duration_ns: [50, 5, 5, 3, 40],
    cost_usd: [null, "0.001", null, null, "0.01"],
    error: [false, false, false, true, true],
  },
} as unknown as Outline;
const { columns } = outline;

describe("a tree", () => {
  test("knows what is inside each span, and how deep", () => {
    expect([...endsOf(columns.parent)]).toEqual([5, 2, 4, 4, 5]);
    expect([...depthsOf(columns.parent)]).toEqual([0, 1, 1, 2, 1]);
  });
  test("hides what is inside a folded span", () => {
    const ends = endsOf(columns.parent);

    expect(visibleRows(ends, new Set())).toEqual([0, 1, 2, 3, 4]);
    expect(visibleRows(ends, new Set([2]))).toEqual([0, 1, 2, 4]);
    expect(visibleRows(ends, new Set([0]))).toEqual([0]);
    expect([...allFolded(ends)]).toEqual([2]);
  });
  test("opens what hides a span, and nothing else", () => {
    const folded = new Set([0, 2]);

    expect([...unfoldedTo(columns.parent, folded, 3)]).toEqual([]);
    expect([...unfoldedTo(columns.parent, folded, 4)]).toEqual([2]);
    expect(unfoldedTo(columns.parent, new Set([2]), 4)).toEqual(new Set([2]));
  });
  test("of ten thousand spans is made in no time", () => {
    const parent = Array.from({ length: 10_000 }, (_, at) => (at === 0 ? -1 : Math.floor((at - 1) / 6)));
    // parents come before their children, though not in the order of a walk: only their number matters here
    const began = performance.now();
    visibleRows(endsOf(parent), new Set());

    expect(performance.now() - began).toBeLessThan(200);
  });
});

test("jumps go to errors, the slowest and the dearest span", () => {
  expect(errorsOf(columns)).toEqual([3, 4]);
  expect(nextOf([3, 4], -1)).toBe(3);
  expect(nextOf([3, 4], 3)).toBe(4);
  expect(nextOf([3, 4], 4)).toBe(3);
  expect(nextOf([], 4)).toBeUndefined();
  expect(slowest(columns)).toBe(4);
  expect(dearest(columns)).toBe(4);
  expect(dearest({ ...columns, cost_usd: [null, null, null, null, null] })).toBe(-1);
});

test("a search finds names and models", () => {
  expect(found(outline, "CLA")).toEqual([1, 4]);
  expect(found(outline, "embed")).toEqual([3]);
  expect(found(outline, " ")).toEqual([]);
});

test("each model has one hue, the one with most time the first", () => {
  expect([...huesOf(outline)]).toEqual([-1, 2, -1, -1, 4]);
});

test("a scale has round marks", () => {
  expect(marks(4.82, 5)).toEqual([0, 1, 2, 3, 4]);
  expect(marks(51, 4)).toEqual([0, 20, 40]);
  expect(marks(0)).toEqual([0]);
});

test("the sentence says where the time goes, where it goes somewhere", () => {
  expect(sentence(outline)).toBe("72 % of the time and 98 % of the cost are in draft");
  expect(sentence({ ...outline, heaviest: null })).toBeUndefined();
});
