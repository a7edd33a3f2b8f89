import { describe, expect, test } from "vitest";
import { editOf, fieldsOf, line, parted, same, valuesOf } from "./rows";

describe("rows", () => {
  test("a row's values read in one line, with names only where there are several", () => {
    expect(line({ ticket: "Where is\n my parcel?" })).toBe("Where is my parcel?");
    expect(line({ question: "2+2?", options: [4, 5] })).toBe("question: 2+2? · options: [4,5]");
  });

  test("values come back from the form as they went in, text as text and the rest as JSON", () => {
    const values = { text: "007", count: 7, none: null, list: [1, { a: true }], empty: "" };

    expect(valuesOf(fieldsOf({ text: "007", count: 7, list: values.list, empty: "" }), "inputs")).toEqual({ text: "007", count: 7, list: values.list, empty: "" });
  });

  test("what is no JSON is refused by its name", () => {
    expect(() => valuesOf([{ key: "a", text: "{", json: true }], "inputs")).toThrow("inputs.a is no JSON");
    expect(() => valuesOf([{ key: "a", text: "1", json: false }, { key: "a", text: "2", json: false }], "inputs")).toThrow("twice");
  });

  test("the order of keys makes no difference", () => {
    expect(same({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(same({ a: 1 }, { a: "1" })).toBe(false);
  });

  test("two texts part in whole words, and put together again they are the texts", () => {
    const [before, after] = ["send me the red parcel soon", "send me the green parcel today"];
    const pieces = parted(before, after);

    expect(pieces.filter(({ kind }) => kind === "was").map(({ text }) => text)).toEqual(["red ", "soon"]);
    expect(pieces.filter(({ kind }) => kind !== "is").map(({ text }) => text).join("")).toBe(before);
    expect(pieces.filter(({ kind }) => kind !== "was").map(({ text }) => text).join("")).toBe(after);
    expect(parted("", "new")).toEqual([{ kind: "is", text: "new" }]);
  });

  test("an edit has the rows that come and the ids that go", () => {
    const row = { id: "a", inputs: {}, reference: null, metadata: {}, cluster: null, slices: {} };

    expect(editOf({ a: row, b: null })).toEqual({ put: [row], remove: ["b"] });
  });
});
