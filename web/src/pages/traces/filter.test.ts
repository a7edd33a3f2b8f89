import { describe, expect, test } from "vitest";
import { chip, fieldOf, halfway, lastToken, nanoseconds, parseCondition, readFilter, readableDuration, suggestFields, suggestValues, toggled } from "./filter";

describe("what somebody types", () => {
  test.each([
    ["model=gpt-5", ["model=gpt-5"], []],
    ["model:gpt-5", ["model=gpt-5"], []],
    ["took>=2s cost:>0.01", ["duration_ns>=2s", "cost_usd>0.01"], []],
    ["latency:4s..8s", ["duration_ns>=4s", "duration_ns<8s"], []],
    ["latency:..8s", ["duration_ns<8s"], []],
    ['user="Ann Lee"', ["user=Ann Lee"], []],
    ["metadata.tier!=gold score.quality<0.5", ["metadata.tier!=gold", "score.quality<0.5"], []],
    ["user=", ["user="], []],
    ["error:true", ["error=true"], []],
    ['refund "second invoice" model=o3', ["model=o3"], ["refund", '"second invoice"']],
    ["https://example.org/a", [], ['"https://example.org/a"']],
    ['"never closed', [], ['"never closed"']],
  ])("%s", (typed, conditions, words) => {
    expect(readFilter(typed)).toEqual({ conditions, words, problem: undefined });
  });

  test.each([
    ["modle=x", "modle is no field"],
    ["cost>much", "cost takes dollars"],
    ["took>fast", "took takes a time"],
    ["error=maybe", "error is true or false"],
    ["model>gpt", "model is asked with = or !="],
    ["out>many", "tokens out takes a whole number"],
  ])("%s says what is wrong", (typed, problem) => {
    const reading = readFilter(typed);

    expect(reading.problem).toContain(problem);
    expect(reading.conditions).toEqual([]);
  });
});

test("a condition is said as people say it", () => {
  expect(chip("duration_ns>=4000000000")).toBe("took ≥ 4 s");
  expect(chip("duration_ns<350ms")).toBe("took < 350ms");
  expect(chip("cost_usd>0.01")).toBe("cost > $0.01");
  expect(chip("model=gpt-5")).toBe("model:gpt-5");
  expect(chip("user!=u_1")).toBe("user ≠ u_1");
  expect(chip("user=")).toBe("user:none");
  expect(chip("no condition")).toBe("no condition");
});

test("a value with signs in it stays whole", () => {
  expect(parseCondition("name=a=b<c")).toEqual({ field: "name", operator: "=", value: "a=b<c" });
});

test("a facet's value is set, changed and taken away", () => {
  expect(toggled([], "model=a")).toEqual(["model=a"]);
  expect(toggled(["model=a"], "model=a")).toEqual([]);
  expect(toggled(["model=a", "error=true"], "model=b")).toEqual(["error=true", "model=b"]);
  expect(toggled(["duration_ns>=1s"], "duration_ns<2s")).toEqual(["duration_ns>=1s", "duration_ns<2s"]);
});

test("durations are read and written exactly", () => {
  expect(nanoseconds("350ms")).toBe(350_000_000);
  expect(nanoseconds("1.5s")).toBe(1_500_000_000);
  expect(nanoseconds("soon")).toBeUndefined();
  expect(readableDuration(4_000_000_000)).toBe("4 s");
  expect(readableDuration(1_500_000)).toBe("1.5 ms");
  expect(readableDuration(7)).toBe("7 ns");
});

describe("completion", () => {
  test("is about the last token", () => {
    expect(lastToken('model=a us')).toEqual({ before: "model=a ", token: "us" });
    expect(lastToken('user="Ann Le')).toEqual({ before: "", token: 'user="Ann Le' });
  });
  test("offers fields that begin so before those that hold it", () => {
    const labels = suggestFields("mo").map(({ label }) => label);

    expect(labels.slice(0, 2)).toEqual(["model", "model_asked"]);
  });
  test("knows short names", () => {
    expect(suggestFields("lat")[0]?.text).toBe("duration_ns>=");
    expect(fieldOf("latency")?.name).toBe("duration_ns");
  });
  test("offers values, quoted where they need it", () => {
    const half = halfway("user=an");

    expect(half?.field.name).toBe("user");
    expect(suggestValues(half!.field, half!.sign, half!.start, [{ value: "Ann Lee", spans: 3 }, { value: "bob", spans: 2 }, { value: null, spans: 9 }])).toEqual([
      { text: 'user="Ann Lee"', label: "Ann Lee", hint: "3", whole: true },
    ]);
  });
});
