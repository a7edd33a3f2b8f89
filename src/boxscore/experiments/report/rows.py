"""The rows of the box score: what is compared, in which unit, what was asked of it and what was shown.

Terminal and HTML draw the same rows in the same order: the primary metric, the other metrics in the order of the spec,
cost, latency, tokens, and guards that have nothing but a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from boxscore import figures
from boxscore.experiments.verdict import Decision, Guard, MetricComparison, Shown, VariantSummary, Verdict
from boxscore.figures import Unit
from boxscore.text import stripped

COST = "cost_per_1k_usd"
P50 = "latency_p50_s"
P95 = "latency_p95_s"
TOKENS_OUT = "tokens_out"
TOKENS_IN = "tokens_in"
ERRORS = "errors"

Better = Literal["higher", "lower"]
Look = Literal["better", "worse", "unclear", "same", "plain"]


@dataclass(frozen=True)
class Row:
    """One difference, candidate − baseline, in stored units. `low` and `high` are None where there is no interval.

    `asked` says what the rule or a guard asks, `short` the same in ten columns. `band` are the differences that the
    rule or a guard lets pass, or holds too small to matter; None without one. `calibration` is a judge's, as a word.
    """

    key: str
    label: str
    role: Literal["primary", "guard", ""]
    unit: Unit
    better: Better
    difference: float
    low: float | None
    high: float | None
    shown: Shown
    asked: str = ""
    short: str = "-"
    band: tuple[float, float] | None = None
    holds: Decision | None = None
    method: str = ""
    calibration: str = ""

    @property
    def flip(self) -> bool:
        """True where less is better: the row is drawn mirrored, so that right is better in every row."""
        return self.better == "lower"

    @property
    def look(self) -> Look:
        """How it is marked. Fewer tokens are no merit of their own (a model that stopped thinking has fewer), so where
        nothing was asked of them a shown difference is `plain`."""
        bare = self.key in (TOKENS_IN, TOKENS_OUT) and not self.role
        return "plain" if bare and self.shown in ("better", "worse") else self.shown

    @property
    def word(self) -> str:
        """`better`, `worse`, `same`, `not shown`; of tokens `fewer` or `more`."""
        if self.look == "plain":
            return "fewer" if self.difference < 0 else "more"
        return "not shown" if self.shown == "unclear" else self.shown

    @property
    def outcome(self) -> str:
        """The word, and what became of the guard."""
        word = self.word
        if self.role != "guard" or self.holds is None:
            return word
        return f"{word}, guard {GUARD_WORDS[self.holds]}"

    def bound(self) -> float:
        """End of a scale around zero that shows interval and band."""
        ends = [self.difference, self.low or 0.0, self.high or 0.0, *(self.band or ())]
        return figures.nice_bound(max(abs(end) for end in ends) * 1.02 * self.unit.factor) / self.unit.factor

    def place(self, value: float) -> float:
        """Where a difference lies from 0 (left end, worse) to 1 (right end, better)."""
        share = value / self.bound()
        return min(1.0, max(0.0, 0.5 + (-share if self.flip else share) / 2))


GUARD_WORDS: dict[Decision, str] = {"ship": "holds", "reject": "broken", "undecided": "not shown"}


def find(verdict: Verdict, key: str) -> Row | None:
    return next((row for row in rows(verdict) if row.key == key), None)


def rows(verdict: Verdict) -> list[Row]:
    found = list(_rows(verdict))
    first = [row for row in found if row.role == "primary"]
    rest = [row for row in found if row.role != "primary"]
    return first + sorted(rest, key=lambda row: row.key in (TOKENS_IN, TOKENS_OUT))


def _rows(verdict: Verdict) -> Iterator[Row]:
    guards = {guard.metric: guard for guard in verdict.rule.guards}
    seen: set[str] = set()
    for comparison in verdict.comparisons:
        seen.add(comparison.metric)
        if comparison.metric == verdict.rule.metric:
            yield _primary(verdict, comparison)
        else:
            yield _metric(verdict, comparison, guards.get(comparison.metric))
    for row in (*_cost(verdict, guards.get(COST)), *_latency(verdict, guards)):
        if row.key not in seen:
            seen.add(row.key)
            yield row
    for guard in verdict.rule.guards:
        if guard.metric not in seen:
            seen.add(guard.metric)
            yield from _bare(verdict, guard)


def _primary(verdict: Verdict, comparison: MetricComparison) -> Row:
    rule = verdict.rule
    unit = _unit(comparison, rule.margin)
    flip = comparison.better == "lower"
    asked, short, band = "better", "< 0" if flip else "> 0", None
    if rule.kind == "noninferiority":
        band = (0.0, rule.margin) if flip else (-rule.margin, 0.0)
        asked = f"not above {unit.signed(rule.margin)}" if flip else f"not below {unit.signed(-rule.margin)}"
        short = _bound(unit, rule.margin, flip, inside=True)
    elif rule.kind == "value":
        asked = f"{figures.coins(rule.usd_per_success or 0.0)} each"
        short = "value"
    elif rule.margin:
        band = (-rule.margin, rule.margin)
        asked = f"below {unit.signed(-rule.margin)}" if flip else f"more than {unit.signed(rule.margin)}"
        short = _bound(unit, rule.margin, flip, inside=False)
    return Row(
        key=comparison.metric,
        label=stripped(comparison.metric),
        role="primary",
        unit=unit,
        better=comparison.better,
        difference=comparison.difference,
        low=comparison.low,
        high=comparison.high,
        shown=comparison.shown,
        asked=asked,
        short=short,
        band=band,
        method=comparison.method,
        calibration=comparison.calibration or "",
    )


def _metric(verdict: Verdict, comparison: MetricComparison, guard: Guard | None) -> Row:
    unit = _unit(comparison, (guard and guard.margin) or 0.0)
    base = verdict.baseline.metrics.get(comparison.metric)
    asked, short, band = _asked(guard, unit, comparison.better, base.value if base else None)
    return Row(
        key=comparison.metric,
        label=stripped(LABELS.get(comparison.metric, comparison.metric)),
        role="guard" if guard else "",
        unit=unit,
        better=comparison.better,
        difference=comparison.difference,
        low=comparison.low,
        high=comparison.high,
        shown=comparison.shown,
        asked=asked,
        short=short,
        band=band,
        holds=guard.holds if guard else None,
        method=comparison.method,
        calibration=comparison.calibration or "",
    )


LABELS = {COST: "cost", P50: "p50 latency", P95: "p95 latency", TOKENS_OUT: "tokens out", TOKENS_IN: "tokens in"}


def _unit(comparison: MetricComparison, margin: float) -> Unit:
    values = figures.known(comparison.difference, comparison.low, comparison.high, margin)
    if comparison.metric == COST:
        return figures.dollars(values)
    if comparison.metric in (P50, P95):
        return figures.seconds(values)
    return figures.of_kind(comparison.kind, values, stripped(comparison.unit))


def _cost(verdict: Verdict, guard: Guard | None) -> Iterator[Row]:
    cost = verdict.cost
    if cost is None:
        return
    unit = figures.dollars(figures.known(cost.difference_per_1k_usd, cost.low, cost.high))
    asked, short, band = _asked(guard, unit, "lower", verdict.baseline.cost_per_1k_usd)
    yield Row(
        key=COST,
        label="cost",
        role="guard" if guard else "",
        unit=unit,
        better="lower",
        difference=cost.difference_per_1k_usd,
        low=cost.low,
        high=cost.high,
        shown=cost.shown,
        asked=asked or _saving(verdict),
        short=short if guard else _saving(verdict) or "-",
        band=band,
        holds=guard.holds if guard else None,
        method=cost.method,
    )


def _latency(verdict: Verdict, guards: dict[str, Guard]) -> Iterator[Row]:
    latency = verdict.latency
    if latency is None:
        return
    both: tuple[tuple[str, float, float | None, float | None, Shown], ...] = (
        (P50, latency.p50_difference_s, latency.p50_low, latency.p50_high, latency.p50_shown),
        (P95, latency.p95_difference_s, latency.p95_low, latency.p95_high, latency.p95_shown),
    )
    for key, difference, low, high, shown in both:
        guard = guards.get(key)
        unit = _times(verdict, key, figures.known(difference, low, high, (guard and guard.margin) or 0.0))
        asked, short, band = _asked(guard, unit, "lower", plain_value(verdict.baseline, key))
        saving = _saving(verdict) if key == P50 else ""
        yield Row(
            key=key,
            label=LABELS[key],
            role="guard" if guard else "",
            unit=unit,
            better="lower",
            difference=difference,
            low=low,
            high=high,
            shown=shown,
            asked=asked or saving,
            short=short if guard else saving or "-",
            band=band,
            holds=guard.holds if guard else None,
            method=latency.method,
        )


def _times(verdict: Verdict, key: str, values: list[float]) -> Unit:
    """The unit of the line score's column, so that one metric is never in s above and in ms below.

    The digits too, but for a difference below a second, which would lose its own.
    """
    own = [plain_value(variant, key) or 0.0 for variant in (verdict.baseline, verdict.candidate)]
    column = figures.seconds(own + values)
    small = column.factor == 1 and max(map(abs, values)) < 1
    return Unit(column.factor, 2 if small else column.decimals, "", column.after)


def _saving(verdict: Verdict) -> str:
    return "a saving" if verdict.rule.kind == "noninferiority" else ""


def _bare(verdict: Verdict, guard: Guard) -> Iterator[Row]:
    """A guard on something that has no interval of its own: tokens or errors."""
    before, after = plain_value(verdict.baseline, guard.metric), plain_value(verdict.candidate, guard.metric)
    if before is None or after is None:
        return
    values = [before, after, guard.margin or 0.0]
    unit = figures.points(values) if guard.metric == ERRORS else figures.amount(values)
    asked, short, band = _asked(guard, unit, "lower", before)
    shown: Shown = "worse" if guard.holds == "reject" else "same" if after == before else "unclear"
    yield Row(
        key=guard.metric,
        label=LABELS.get(guard.metric, stripped(guard.metric)),
        role="guard",
        unit=unit,
        better="lower",
        difference=after - before,
        low=None,
        high=None,
        shown=shown,
        asked=asked,
        short=short,
        band=band,
        holds=guard.holds,
    )


def plain_value(variant: VariantSummary, key: str) -> float | None:
    """The variant's own value of a metric or of one of the names that a guard may have besides."""
    if key == COST:
        return variant.cost_per_1k_usd
    if key == P50:
        return variant.latency_p50_s
    if key == P95:
        return variant.latency_p95_s
    if key == TOKENS_OUT:
        return variant.tokens_out
    if key == TOKENS_IN:
        return variant.tokens_in
    if key == ERRORS:
        return variant.errors / variant.trials if variant.trials else None
    metric = variant.metrics.get(key)
    return metric.value if metric else None


def _asked(
    guard: Guard | None, unit: Unit, better: Better, baseline: float | None
) -> tuple[str, str, tuple[float, float] | None]:
    """What a guard asks, in words and in ten columns, and the differences that it lets pass."""
    if guard is None:
        return "", "-", None
    if guard.ceiling is not None:
        room = guard.ceiling - baseline if baseline is not None else 0.0
        band = (0.0, room) if room > 0 else None
        return f"at most {unit.full(guard.ceiling)}", f"max {unit.number(guard.ceiling)}", band
    margin = guard.margin or 0.0
    flip = better == "lower"
    short = _bound(unit, margin, flip, inside=True)
    if not margin:
        return "not worse", short, None
    if flip:
        return f"not above {unit.signed(margin)}", short, (0.0, margin)
    return f"not below {unit.signed(-margin)}", short, (-margin, 0.0)


def _bound(unit: Unit, margin: float, flip: bool, *, inside: bool) -> str:
    """`> +2`, `> -2`, `< +15`: what the interval must lie above or below. `inside`: the margin is on the worse side."""
    value = margin if flip == inside else -margin
    text = unit.signed(value).replace("−", "-")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{'<' if flip else '>'} {text}"
