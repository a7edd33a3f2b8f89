import { describe, expect, it } from "vitest";
import { forecast } from "./forecast";
import { compact, duration, money, percent, points, signedMoney } from "./format";
import { number, parseQuery, text, writeQuery } from "./params";
import { during, range } from "./range";
import { wilson } from "./statistics";
import { DAY, HOUR, relative, ticks } from "./time";

describe("numbers", () => {
  it("writes money with two significant decimals, and none above ten thousand", () => {
    expect(["13.309", "0.0523", "0.000021", "0", "6028.1", "12345.6", "-2.1"].map(money)).toEqual(["$13.31", "$0.052", "$0.000021", "$0.00", "$6,028.10", "$12,346", "−$2.10"]);
    expect([signedMoney(1.5), signedMoney(0), signedMoney("-3.8")]).toEqual(["+$1.50", "±$0", "−$3.80"]);
  });

  it("writes durations by their size", () => {
    expect([0.00012, 0.0042, 0.14, 5.2, 12.44, 600, 9000].map(duration)).toEqual(["120 µs", "4.2 ms", "140 ms", "5.20 s", "12.4 s", "10 min", "2.5 h"]);
  });

  it("writes shares, points and sizes", () => {
    expect([percent(0.51), percent(0.0051), points(0.344), points(-0.071), points(0.0001), compact(370_400_000), compact(940)]).toEqual(["51 %", "0.5 %", "+34.4", "−7.1", "0.0", "370 M", "940"]);
  });
});

describe("addresses", () => {
  it("come back as they were written, lists and all", () => {
    const query = { filter: ["model=o3", "cost_usd>=0.01"], text: "a b&c", project: "support" };

    expect(parseQuery(writeQuery(query))).toEqual(query);
  });

  it("say nothing of what is as always", () => {
    expect(writeQuery({ a: undefined, b: "", c: false, d: [] })).toBe("");
  });

  it("are read kindly: what is not understood is not there", () => {
    expect([text(["a"]), text("a"), number("x"), number("7")]).toEqual([undefined, "a", undefined, 7]);
  });
});

describe("time", () => {
  const noon = Date.parse("2026-06-20T12:34:56Z");

  it("ends a range at a whole hour to come, so that answers can be kept", () => {
    const week = range("7d", noon);

    expect(week.endNs).toBe(Date.parse("2026-06-20T13:00:00Z") * 1e6);
    expect(week.endNs - week.startNs).toBe(7 * DAY);
    expect(during(week)).toEqual([`start_ns>=${week.startNs}`, `start_ns<${week.endNs}`]);
  });

  it("takes two dates, and the usual week for what is no range", () => {
    expect((range("2026-06-01..2026-06-08").endNs - range("2026-06-01..2026-06-08").startNs) / DAY).toBe(7);
    expect(range("2026-06-08..2026-06-01", noon).name).toBe("7d");
  });

  it("is told relative to now", () => {
    expect([noon - 38_000, noon - 300_000, noon - 7_200_000, noon + 300_000].map((at) => relative(at * 1e6, noon))).toEqual(["38 s", "5 min", "2 h", "in 5 min"]);
  });

  it("marks round moments of the reader's clock on axes", () => {
    const found = ticks(noon * 1e6, noon * 1e6 + 7 * DAY, 4);

    expect(found.length).toBeLessThanOrEqual(4);
    expect(found.every((at) => new Date(at / 1e6).getMinutes() === 0)).toBe(true);
    expect(ticks(noon * 1e6, noon * 1e6 + HOUR, 6).length).toBe(6);
  });
});

describe("estimates", () => {
  it("has Wilson's interval of 81 in 263 as published", () => {
    const { low, high } = wilson(81, 263);

    expect([low.toFixed(4), high.toFixed(4)]).toEqual(["0.2553", "0.3662"]);
  });

  it("forecasts equal days without a spread, and says nothing of two", () => {
    expect(forecast([2, 2, 2, 2], 30)).toEqual({ value: 60, low: 60, high: 60 });
    expect(forecast([1, 2], 30)).toBeUndefined();
  });

  it("widens a forecast by the spread of days and the error of their mean", () => {
    const found = forecast([1, 2, 3], 3)!;

    expect(found.value).toBe(6);
    expect(found.high - found.value).toBeCloseTo(4.303 * Math.sqrt(6));
    expect(found.low).toBe(0);
  });
});
