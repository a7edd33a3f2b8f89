import { describe, expect, it } from "vitest";
import { type Draft, askedOf, draftOf, fresh } from "./draft";

const whole: Draft = {
  ...fresh(),
  dataset: "tickets",
  sides: [
    { name: "before", provider: "tiny", model: "tiny-a", prompt: "Extract {{ field }}.", params: "" },
    { name: "after", provider: "tiny", model: "tiny-b", prompt: '[{"role": "user", "content": "{{ text }}"}]', params: '{"temperature": 0}' },
  ],
  scorers: "exact; number:tolerance=1",
  rule: "noninferiority",
  margin: "2",
  limit: "50",
};

describe("a comparison as it is typed", () => {
  it("becomes what the API takes", () => {
    expect(askedOf(whole).asked).toEqual({
      dataset: "tickets",
      variants: {
        before: { provider: "tiny", model: "tiny-a", prompt: "Extract {{ field }}." },
        after: { provider: "tiny", model: "tiny-b", messages: [{ role: "user", content: "{{ text }}" }], params: { temperature: 0 } },
      },
      baseline: "before",
      candidate: "after",
      scorers: ["exact", "number:tolerance=1"],
      rule: { kind: "noninferiority", margin: 0.02 },
      limit: 50,
    });
  });

  it("says the first thing that is missing", () => {
    expect(askedOf(fresh()).problem).toBe("Choose a dataset.");
    expect(askedOf({ ...whole, margin: "" }).problem).toContain("margin");
    expect(askedOf({ ...whole, rule: "value" }).problem).toContain("dollars");
    expect(askedOf({ ...whole, sides: [whole.sides[0]!, { ...whole.sides[1]!, params: "[1]" }] }).problem).toContain("JSON object");
    expect(askedOf({ ...whole, sides: [whole.sides[0]!, { ...whole.sides[1]!, name: "before" }] }).problem).toContain("name");
  });

  it("comes back as it was", () => {
    const { asked } = askedOf(whole);
    expect(askedOf(draftOf(asked!)).asked).toEqual(asked);
  });
});
