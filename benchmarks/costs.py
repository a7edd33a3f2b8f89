"""Costs against recorded bills: every usage object of `costs/genai_usages.jsonl`, by our price book.

    BOXSCORE_DATA=… python benchmarks/costs.py            print the page
    BOXSCORE_DATA=… python benchmarks/costs.py --write    and write its section of docs/benchmarks.md

Each recorded (row, provider, API flavour) is priced by us and by the installed genai-prices, at the same moment. Where
the record asks for another sum, the script looks for the price row that gives it: an earlier dated row of the same
model, or a row of the recorded price table; and for the reading of the body that goes with it. What it cannot
explain so is listed as unexplained.
"""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from boxscore.costs import DIALECTS, KINDS, Match, PriceBook, PriceRow, Rate, Tier, cost, normalise
from boxscore.costs.table import builtin_table
from boxscore.errors import BoxscoreError
from boxscore.providers.response import Usage

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""The moment priced at: a fixed one, for prices are dated and some depend on the hour."""
OTHER_MOMENTS = (datetime(2025, 9, 1, 2, tzinfo=UTC), datetime(2026, 6, 1, 7, tzinfo=UTC))
CLOSE = Decimal("1e-9")
_WRITES = {"cache_write_tokens"}


class Case(NamedTuple):
    """One sum that a record asks for, and what became of it."""

    row: str
    provider: str
    flavour: str
    model: str
    readings: list[dict[str, int]]
    usage: Usage
    due: tuple[Decimal, Decimal]
    ours: tuple[Decimal, Decimal]
    price: PriceRow

    @property
    def equal(self) -> bool:
        return _close(self.ours, self.due)


class Difference(NamedTuple):
    provider: str
    model: str
    now: str
    then: str
    change: str
    rows: int


def cases(data: Path, at: datetime = AT) -> Iterator[Case]:
    """Every recorded (row, provider, flavour), priced by us."""
    book = PriceBook()
    for row in _lines(data / "costs" / "genai_usages.jsonl"):
        for due in row["due_usd"]:
            provider, flavour = due["provider_id"], due["api_flavor"]
            usage = normalise(row["body"], provider=provider, flavour=flavour)
            price = book.find(row["model"], provider, at)
            paid = cost(usage, price)
            yield Case(
                row["id"],
                provider,
                flavour,
                row["model"],
                row["usage"],
                usage,
                (Decimal(due["input_price"]), Decimal(due["output_price"])),
                (paid.input_usd, paid.output_usd),
                price,
            )


def readings_not_equal(data: Path) -> tuple[int, list[str]]:
    """Rows whose normalised usage, by shape alone, is not the fullest reading of the record: count of rows, bad ids."""
    rows, bad = 0, []
    for row in _lines(data / "costs" / "genai_usages.jsonl"):
        rows += 1
        found = counts(normalise(row["body"]))
        if found not in row["usage"] or len(found) != max(map(len, row["usage"])):
            bad.append(row["id"])
    return rows, bad


def readings_reached(data: Path) -> tuple[int, int]:
    """Recorded readings in all, and those that one of our dialects gives exactly."""
    total = reached = 0
    for row in _lines(data / "costs" / "genai_usages.jsonl"):
        given: list[dict[str, int]] = []
        for dialect in DIALECTS:
            try:
                given.append(counts(normalise(row["body"], dialect=dialect)))
            except BoxscoreError:
                continue
        total += len(row["usage"])
        reached += sum(reading in given for reading in row["usage"])
    return total, reached


def library_disagreements(data: Path, at: datetime = AT) -> list[str]:
    """Cases where the installed genai-prices gives another sum than we do, from the same usage at the same moment."""
    from genai_prices import Usage as TheirUsage
    from genai_prices import calc_price

    wrong: list[str] = []
    for case in cases(data, at):
        theirs = calc_price(
            TheirUsage(**counts(case.usage)), case.model, provider_id=case.provider, genai_request_timestamp=at
        )
        if (theirs.input_price, theirs.output_price) != case.ours:
            wrong.append(f"{case.row} {case.provider}/{case.flavour}: ours {case.ours}, theirs {theirs}")
    return wrong


def differences(data: Path) -> list[Difference]:
    """The cases that are not equal, by what changed. `then` is empty where nothing explains them."""
    recorded = list(_lines(data / "prices" / "genai_prices.jsonl"))
    rows: dict[tuple[str, str, str, str, str], int] = defaultdict(int)
    changes: dict[tuple[str, str, str, str, str], dict[str, str]] = defaultdict(dict)
    for case in cases(data):
        if not case.equal:
            then, change, note = _explain(case, recorded)
            key = (case.provider, case.model, case.price.id.removeprefix("genai-prices/"), then, note)
            rows[key] += 1
            changes[key].update(change)
    return [
        Difference(*key[:4], ", ".join(changes[key][kind] for kind in KINDS if kind in changes[key]) + key[4], number)
        for key, number in sorted(rows.items())
    ]


def counts(usage: Usage) -> dict[str, int]:
    """The reported counts that are not zero: records leave zeros out."""
    return {field: value for field, value in msgspec.to_builtins(usage).items() if value}


def _explain(case: Case, recorded: list[dict[str, Any]]) -> tuple[str, dict[str, str], str]:
    """The price row that gives the due sum, how its rates differ from today's, and a note on the reading."""
    other = [msgspec.convert(reading, Usage) for reading in case.readings if reading != counts(case.usage)]
    for usage in (case.usage, *other):
        for name, row in (*_earlier(case), *_recorded_rows(case, recorded)):
            try:
                paid = cost(usage, row)
            except BoxscoreError:
                continue
            if _close((paid.input_usd, paid.output_usd), case.due):
                note = "" if usage is case.usage else "; the record was made without reading cache_write_tokens"
                if note and counts(case.usage).keys() - counts(usage).keys() - {"output_reasoning_tokens"} != _WRITES:
                    continue
                return name, _change(row, case.price, usage), note
    return "", {}, "unexplained"


def _earlier(case: Case) -> Iterator[tuple[str, PriceRow]]:
    for row in PriceBook().history(case.model, case.provider):
        if row.id != case.price.id:
            yield f"{row.id.removeprefix('genai-prices/')} (until {_end(case, row)})", row


def _end(case: Case, row: PriceRow) -> str:
    steps = PriceBook().history(case.model, case.provider)
    later = [s.since.start for s in steps[steps.index(row) + 1 :] if s.since and s.since.start]
    return f"{min(later)}" if later else "?"


def _recorded_rows(case: Case, recorded: list[dict[str, Any]]) -> Iterator[tuple[str, PriceRow]]:
    """Rows of the recorded table that this model had, at its provider or at one whose models that provider sells."""
    seller = next((p for p in builtin_table().providers if p.id == case.provider), None)
    for provider in (case.provider, *(seller.fallback if seller else ())):
        for row in recorded:
            if row["provider"] == provider and msgspec.convert(row["match"], Match)(case.model):
                rates = {_kind(key): _rate(value) for key, value in row["usd_per_mtok"].items()}
                yield (
                    f"{row['id']} (recorded table)",
                    PriceRow(
                        id=row["id"],
                        version="",
                        source="genai-prices",
                        provider=provider,
                        model=case.model,
                        rates=rates,
                    ),
                )


def _kind(price_key: str) -> str:
    return next(k.name for k in KINDS.values() if price_key in {f"{k.name}_mtok", f"{k.name}_kcount"})


def _rate(value: float | dict[str, Any]) -> Rate:
    if isinstance(value, dict):
        tiers = tuple(Tier(tier["start"], Decimal(str(tier["price"]))) for tier in value["tiers"])
        return Rate(Decimal(str(value["base"])), tiers)
    return Rate(Decimal(str(value)))


def _change(then: PriceRow, now: PriceRow, usage: Usage) -> dict[str, str]:
    """The rates that differ and that the usage is charged by: `input 0.4 → 1.5`."""
    charged = {part.kind for part in cost(usage, now).parts} | {part.kind for part in cost(usage, then).parts}
    pairs = {kind: (then.rates.get(kind), now.rates.get(kind)) for kind in charged}
    return {kind: f"{kind} {_say(old)} → {_say(new)}" for kind, (old, new) in pairs.items() if old != new}


def _say(rate: Rate | None) -> str:
    if rate is None:
        return "–"
    return f"{rate.base}" + "".join(f" ({tier.price} above {tier.above:,})" for tier in rate.tiers)


def _close(left: tuple[Decimal, Decimal], right: tuple[Decimal, Decimal]) -> bool:
    return all(abs(a - b) < CLOSE for a, b in zip(left, right, strict=True))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


# Memory and time


_OURS = "from boxscore.costs import PriceBook; book = PriceBook(); book.find('gpt-4o'); book.find('claude-sonnet-4-5')"
_THEIRS = "from genai_prices import Usage, calc_price; calc_price(Usage(input_tokens=1, output_tokens=1), 'gpt-4o')"
_ALL = "from boxscore.costs import PriceBook; list(PriceBook().models())"


def footprint(code: str) -> tuple[float, float]:
    """Peak memory over a bare interpreter (MB) and CPU seconds, best of three fresh processes."""
    probe = (
        "import re, time; {}; status = open('/proc/self/status').read(); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], time.process_time())"
    )

    def once(code: str) -> tuple[float, float]:
        out = subprocess.run([sys.executable, "-c", probe.format(code)], capture_output=True, text=True, check=True)
        peak, seconds = out.stdout.split()
        return float(peak) / 1024, float(seconds)

    bare = min(once("pass") for _ in range(3))
    used = [once(code) for _ in range(3)]
    return min(u[0] for u in used) - bare[0], min(u[1] for u in used) - bare[1]


def microseconds_each(work: Callable[[], object], times: int = 2000) -> float:
    work()
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times * 1e6


def weight(name: str, footprint: tuple[float, float]) -> str:
    return f"| {name} | {footprint[0]:.0f} MB | {footprint[1] * 1e3:.0f} ms |"


def page(data: Path) -> str:
    done = list(cases(data))
    equal = sum(case.equal for case in done)
    changed = differences(data)
    rows, bad = readings_not_equal(data)
    readings, reached = readings_reached(data)
    wrong = [line for at in (AT, *OTHER_MOMENTS) for line in library_disagreements(data, at)]
    unexplained = sum(d.rows for d in changed if not d.then)
    ours, theirs, everything = footprint(_OURS), footprint(_THEIRS), footprint(_ALL)
    book = PriceBook()
    body = {
        "model": "claude-sonnet-4-5",
        "usage": {
            "input_tokens": 3,
            "cache_read_input_tokens": 9511,
            "cache_creation_input_tokens": 1956,
            "output_tokens": 44,
        },
    }
    usage, row = normalise(body), book.find("claude-sonnet-4-5")
    lines = [
        "# Costs against recorded bills",
        "",
        f"Written by `python benchmarks/costs.py --write` with genai-prices {version('genai-prices')}, prices of",
        f"{AT:%Y-%m-%d %H:%M} UTC, on `costs/genai_usages.jsonl` of the recorded data: {rows} usage objects of real",
        "models.",
        "",
        "| what | result |",
        "|---|---:|",
        f"| usage, read by its shape, equal to the record's fullest reading | {rows - len(bad)} of {rows} |",
        f"| (row, provider, API flavour) priced | {len(done):,} |",
        f"| equal to the due price to 1e-9 dollars | {equal:,} ({equal / len(done):.1%}) |",
        f"| not equal: the price row changed since the record (listed below) | {len(done) - equal - unexplained} |",
        f"| not equal, unexplained | {unexplained} |",
        f"| other than the installed genai-prices, at three moments | {len(wrong)} of {3 * len(done):,} |",
        "",
        f"The record lists {readings:,} readings of its {rows} bodies: one for each way in which a provider's table",
        f"of fields reads them, right for that body or not. Our dialects give {reached:,} of them exactly; the others",
        "leave out cached, written or reasoning tokens that the body reports and that ours keep.",
        "",
        "## Price rows that changed",
        "",
        "Sums that the record asks for under a price row which is no longer the one of that day. Each was recomputed",
        "from the row named under *then*, and equals the record. Rates are US dollars a million tokens, those that the",
        "usage is charged by.",
        "",
        "| provider | model | cases | row now | row then | what changed |",
        "|---|---|---:|---|---|---|",
    ]
    lines += [
        f"| {d.provider} | {d.model} | {d.rows} | {d.now} | {d.then or '**none found**'} | {d.change} |"
        for d in changed
    ]
    lines += [
        "",
        "## Weight",
        "",
        "Fresh process, peak memory over a bare interpreter and CPU time, imports included, best of three.",
        "",
        "| what | memory | CPU |",
        "|---|---:|---:|",
        weight("our price book, two models found", ours),
        weight(f"our price book, all {sum(1 for _ in book.models()):,} models read", everything),
        weight("genai-prices, one price", theirs),
        "",
        "| per call, warm | CPU |",
        "|---|---:|",
        f"| normalise an Anthropic body | {microseconds_each(lambda: normalise(body)):.0f} µs |",
        f"| find a price row | {microseconds_each(lambda: book.find('claude-sonnet-4-5', None, AT)):.0f} µs |",
        f"| multiply | {microseconds_each(lambda: cost(usage, row)):.0f} µs |",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    from page import main  # beside this script

    sys.exit(main("costs", page, __doc__))
