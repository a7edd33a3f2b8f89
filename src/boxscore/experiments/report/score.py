"""The line score: one row per variant, one column per metric in the order of the spec, then cost, latency, tokens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from boxscore import figures
from boxscore.experiments.report.rows import COST, ERRORS, P50, P95, TOKENS_IN, TOKENS_OUT, rows
from boxscore.experiments.verdict import Shown, VariantSummary, Verdict
from boxscore.figures import Unit
from boxscore.text import stripped

Ends = tuple[float, float] | None


@dataclass(frozen=True)
class Cell:
    """`value` is None where nothing was recorded. `ends` is its interval; `note` stands there where there is none."""

    value: float | None
    unit: Unit
    ends: Ends = None
    note: str = ""

    @property
    def text(self) -> str:
        return "" if self.value is None else self.unit.number(self.value)


@dataclass(frozen=True)
class Column:
    """`short` heads it on a terminal, `title` on a page. `best` is the row whose value is shown to be better,
    `calibration` a judge's, as a word."""

    key: str
    short: str
    title: str
    group: Literal["quality", "cost", "latency", "tokens"]
    cells: tuple[Cell, ...]
    best: int | None = None
    optional: bool = False
    calibration: str = ""


def variants(verdict: Verdict) -> list[VariantSummary]:
    return [verdict.baseline, verdict.candidate, *verdict.also_run]


def columns(verdict: Verdict) -> list[Column]:
    """Columns in which at least one variant has a value. Nothing that was not recorded is shown as 0."""
    return columns_of(variants(verdict), verdict.rule.metric, {row.key: row.shown for row in rows(verdict)})


def columns_of(all_variants: Sequence[VariantSummary], metric: str, shown: Mapping[str, Shown]) -> list[Column]:
    """The same of variants that need not have been compared. `metric` stands first; `shown` is by the key of a row,
    of the second variant beside the first."""
    found = _columns(all_variants, metric, shown)
    return [column for column in found if any(cell.value is not None for cell in column.cells)]


def missing(verdict: Verdict) -> list[str]:
    """What was not recorded for any variant, in words."""
    named = {COST: "cost", P50: "latency", TOKENS_OUT: "tokens"}
    have = {column.key for column in columns(verdict)}
    return [name for key, name in named.items() if key not in have]


def _columns(all_variants: Sequence[VariantSummary], metric: str, shown: Mapping[str, Shown]) -> Iterator[Column]:
    def best(key: str) -> int | None:
        return {"better": 1, "worse": 0}.get(shown.get(key, ""))

    names = list(dict.fromkeys(name for variant in all_variants for name in variant.metrics))
    names.sort(key=lambda name: name != metric)
    for name in names:
        values = [variant.metrics.get(name) for variant in all_variants]
        known = next(value for value in values if value is not None)
        numbers = [number for value in values if value for number in figures.known(value.value, value.low, value.high)]
        unit = figures.percent(numbers) if known.kind != "amount" else figures.amount(numbers, stripped(known.unit))
        suffix = ", %" if known.kind != "amount" else f", {stripped(known.unit)}" if known.unit else ""
        cells = tuple(_cell((v.value, v.low, v.high), unit) if v else Cell(None, unit) for v in values)
        yield Column(
            name,
            stripped(name),
            stripped(name) + suffix,
            "quality",
            cells,
            best(name),
            calibration=known.calibration or "",
        )
    costs = [(v.cost_per_1k_usd, v.cost_per_1k_low, v.cost_per_1k_high) for v in all_variants]
    # Each cost has its own digits: $0.0031 beside $13.83 is what the table is for.
    cells = tuple(_cell(cost, figures.dollars([cost[0] or 0.0])) for cost in costs)
    yield Column(COST, "$/1k", "$ per 1,000", "cost", cells, best(COST))
    p50 = [(v.latency_p50_s, v.latency_p50_low, v.latency_p50_high) for v in all_variants]
    p95 = [(v.latency_p95_s, v.latency_p95_low, v.latency_p95_high) for v in all_variants]
    for key, name, times in ((P50, "p50", p50), (P95, "p95", p95)):
        cells, unit = _shared(times, figures.seconds)
        yield Column(key, f"{name} {unit.after.strip()}", f"{name}, {unit.after.strip()}", "latency", cells, best(key))
    ins = tuple(_cell((v.tokens_in, None, None), _tokens(v.tokens_in)) for v in all_variants)
    outs = tuple(
        _cell((v.tokens_out, v.tokens_out_low, v.tokens_out_high), _tokens(v.tokens_out)) for v in all_variants
    )
    yield Column(TOKENS_IN, "tok in", "tokens in", "tokens", ins, optional=True)
    yield Column(TOKENS_OUT, "tok out", "tokens out", "tokens", outs, optional=True)
    whole = Unit(decimals=0)
    failed = tuple(Cell(float(v.errors), whole, note=f"of {v.trials:,}" if v.trials else "") for v in all_variants)
    yield Column(ERRORS, "errors", "errors", "tokens", failed, optional=not any(v.errors for v in all_variants))


Triple = tuple[float | None, float | None, float | None]


def _shared(triples: Sequence[Triple], choose: Callable[[list[float]], Unit]) -> tuple[tuple[Cell, ...], Unit]:
    unit = choose([triple[0] for triple in triples if triple[0] is not None])
    return tuple(_cell(triple, unit) for triple in triples), unit


def _tokens(value: float | None) -> Unit:
    """Whole tokens, and a decimal for answers of a word or two."""
    return Unit(decimals=1 if value is not None and value < 10 and value != int(value) else 0)


def _cell(triple: Triple, unit: Unit) -> Cell:
    value, low, high = triple
    return Cell(value, unit, (low, high) if low is not None and high is not None else None)
