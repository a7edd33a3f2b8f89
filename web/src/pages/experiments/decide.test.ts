import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Decision, type Estimates, type Kind, benefitAt, parts, shown, would } from "./decide";

interface Told {
  estimates: Estimates[];
  cases: { of: number; kind: Kind; setting: number; decision: Decision; benefit: number[] | null }[];
}

const told = JSON.parse(readFileSync(new URL("./decide.cases.json", import.meta.url), "utf-8")) as Told;

describe("what another setting would decide", () => {
  it("is what Python decides, in every case of the table", () => {
    expect(told.cases.length).toBeGreaterThan(100);
    for (const { of, kind, setting, decision, benefit } of told.cases) {
      const found = told.estimates[of]!;
      expect(would(found, kind, setting), `${of} ${kind} ${setting}`).toBe(decision);
      if (benefit && found.benefit) benefitAt(found.benefit, setting).forEach((value, at) => expect(value).toBeCloseTo(benefit[at]!, 6));
    }
  });

  it("cuts a track where the verdict changes and joins what decides alike", () => {
    const found: Estimates = { low: 0.1, high: 0.2, saving: "ship", benefit: null, held: [] };

    expect(parts(found, { kind: "superiority", end: 0.5, breaks: [0.1, 0.2] })).toEqual([
      { from: 0, to: 0.1, decision: "ship" },
      { from: 0.1, to: 0.2, decision: "undecided" },
      { from: 0.2, to: 0.5, decision: "reject" },
    ]);
    expect(parts({ ...found, held: [{ role: "guard", metric: "errors", outcome: "reject" } as Estimates["held"][number]] }, { kind: "superiority", end: 0.5, breaks: [0.1, 0.2] })).toEqual([{ from: 0, to: 0.5, decision: "reject" }]);
  });

  it("is undecided where no interval is known, or too few examples stand alone", () => {
    const found: Estimates = { low: null, high: null, saving: "undecided", benefit: null, held: [] };

    expect(would(found, "superiority", 0)).toBe("undecided");
    expect(would(found, "value", 1)).toBe("undecided");
    expect(would({ ...found, low: 0.3, high: 0.4, held: [{ role: "units", metric: "", outcome: "undecided" } as Estimates["held"][number]] }, "superiority", 0)).toBe("undecided");
  });

  it("writes numbers as the report does", () => {
    expect(shown({ factor: 100, decimals: 1, before: "", after: " points" }, -0.0213)).toBe("−2.1 points");
    expect(shown({ factor: 1, decimals: 2, before: "$", after: "" }, 1234.5)).toBe("$1,234.50");
    expect(shown({ factor: 100, decimals: 1, before: "", after: " cents" }, 0.039, true)).toBe("3.9");
  });
});
