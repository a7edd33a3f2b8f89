"""The headline: a verdict as a sentence with its numbers. It is written from the numbers alone, never from `reason`."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from boxscore import figures
from boxscore.experiments.report.rows import COST, P50, Row, find, rows
from boxscore.experiments.verdict import MIN_UNITS, Verdict
from boxscore.text import middle_cut, stripped

LONGEST_NAME = 60

PLAIN_RIGHT = frozenset({"accuracy", "correct", "correctness", "exact", "exact_match", "choice", "number"})
"""Rates for which "answers more right" says it all; others are named beside."""


class Phrase(NamedTuple):
    """A piece of the sentence; `strong` is what the eye should catch."""

    text: str
    strong: bool = False


Clause = list[Phrase]


def headline(verdict: Verdict) -> str:
    """What changed, in one to three sentences, with intervals: no badge word at its front, no line break.

    `gpt-4-0314 answers 34.4 points more right (±4.3), costs $13.31 more per 1,000 (±0.62), answers 0.7 s later at p50.
    One extra right answer costs 3.9 cents (3.4 to 4.5).`
    """
    return "".join(phrase.text for phrase in phrases(verdict))


def phrases(verdict: Verdict) -> list[Phrase]:
    """The headline in pieces, so that a page can set its numbers in bold. Joined they are `headline(verdict)`."""
    sentences = [sentence for sentence in _sentences(verdict) if sentence]
    return [phrase for at, sentence in enumerate(sentences) for phrase in ([Phrase(" ")] if at else []) + sentence]


def _sentences(verdict: Verdict) -> Iterator[Clause]:
    if verdict.verdict == "undecided":
        yield from _undecided(verdict)
        return
    name = Phrase(_name(verdict))
    yield [name, Phrase(" "), *_and([clause for clause in _clauses(verdict) if clause]), Phrase(".")]
    yield _no_difference(verdict)
    if verdict.verdict == "reject":
        yield _because(verdict)
    yield _worth(verdict)


def _name(verdict: Verdict) -> str:
    return middle_cut(stripped(verdict.candidate.name), LONGEST_NAME) or "the candidate"


def _clauses(verdict: Verdict) -> Iterator[Clause]:
    """Verb phrases of ship and reject, the deciding one first."""
    primary = find(verdict, verdict.rule.metric)
    cost, latency = find(verdict, COST), find(verdict, P50)
    quality = _quality(verdict, primary)
    money, time = _money(cost), _time(latency)
    if verdict.rule.kind == "noninferiority" and primary and not _beyond_margin(verdict, primary):
        yield _saving(cost)
        yield time
        yield _not_worse(verdict, primary)
        return
    yield quality
    yield money
    yield time


def _quality(verdict: Verdict, row: Row | None) -> Clause:
    if row is None:
        return []
    comparison = next(c for c in verdict.comparisons if c.metric == row.key)
    size = row.unit.full(row.difference)
    up = row.difference >= 0
    interval = Phrase(f" ({interval_of(row)})")
    if row.difference == 0:
        return [Phrase("is "), Phrase("no different", strong=True), Phrase(f" on {_label(row)}"), interval]
    if row.better == "higher" and comparison.kind == "rate":
        more = Phrase(f"{size} {'more' if up else 'fewer'} right", strong=True)
        on = "" if _label(row).lower() in PLAIN_RIGHT else f" on {_label(row)}"
        return [Phrase("answers "), more, Phrase(on), interval]
    more = Phrase(f"{size} {'higher' if up else 'lower'}", strong=True)
    if row.better == "higher" and comparison.kind == "mean":
        return [Phrase("scores "), more, Phrase(f" on {_label(row)}"), interval]
    return [Phrase("is "), more, Phrase(f" on {_label(row)}"), interval]


def _label(row: Row) -> str:
    """The metric's name, with what is known of the judge that gave it: the sentence may be all that somebody reads."""
    return f"{row.label} ({row.calibration})" if row.calibration else row.label


def _money(row: Row | None) -> Clause:
    if row is None or row.shown in ("unclear", "same"):
        return []
    more = "more" if row.difference > 0 else "less"
    return [
        Phrase("costs "),
        Phrase(f"{row.unit.full(row.difference)} {more}", strong=True),
        Phrase(f" per 1,000 ({interval_of(row, bare=True)})"),
    ]


def _time(row: Row | None) -> Clause:
    if row is None or row.shown in ("unclear", "same"):
        return []
    later = "later" if row.difference > 0 else "sooner"
    size = Phrase(f"{figures.duration(row.difference)} {later}", strong=True)
    return [Phrase("answers "), size, Phrase(" at p50")]


def _no_difference(verdict: Verdict) -> Clause:
    """What was measured and shows no difference belongs in the headline too: it is what a reader would ask next."""
    names = [
        name
        for name, row in (("cost", find(verdict, COST)), ("latency at p50", find(verdict, P50)))
        if row is not None and row.shown in ("unclear", "same")
    ]
    return [Phrase(f"No difference in {' or '.join(names)} is shown.")] if names else []


def _not_worse(verdict: Verdict, row: Row) -> Clause:
    margin = row.unit.full(verdict.rule.margin).replace(".0 ", " ")
    return [
        Phrase("is "),
        Phrase(f"shown not to be worse by more than {margin}", strong=True),
        Phrase(f" on {_label(row)} ({_ends(row)})"),
    ]


def _beyond_margin(verdict: Verdict, row: Row) -> bool:
    """True where a noninferiority rule has not shown its margin kept."""
    return _worst(row) <= -verdict.rule.margin


def _worst(row: Row) -> float:
    """The worse end of the interval, oriented so that more is better."""
    if row.low is None or row.high is None:
        return row.difference
    return -row.high if row.flip else row.low


def _best(row: Row) -> float:
    if row.low is None or row.high is None:
        return row.difference
    return -row.low if row.flip else row.high


def _because(verdict: Verdict) -> Clause:
    """Why it is rejected, where the first sentence does not say it already."""
    rule = verdict.rule
    primary = find(verdict, rule.metric)
    broken = [row for row in rows(verdict) if row.role == "guard" and row.holds == "reject"]
    if broken:
        return [Phrase("Rejected because "), *_and([_guard_says(row) for row in broken]), Phrase(".")]
    if primary is None:
        return []
    if rule.kind == "noninferiority" and not _beyond_margin(verdict, primary):
        return [Phrase("Rejected because it saves neither dollars nor time.")]
    if rule.kind == "superiority" and rule.margin and _best(primary) < rule.margin and _best(primary) > 0:
        asked = primary.unit.full(rule.margin)
        return [Phrase(f"Rejected because the gain is shown to be less than the {asked} asked for.")]
    return []


def _guard_says(row: Row) -> Clause:
    """`p95 latency is 7.4 s higher (+4.6 to +9.1; asked: not above +5.0)`."""
    way = "higher" if row.difference > 0 else "lower"
    size = Phrase(f"{row.unit.full(row.difference)} {way}", strong=True)
    return [Phrase(f"{_label(row)} is "), size, Phrase(f" ({_ends(row)}; asked: {row.asked or 'not worse'})")]


def _worth(verdict: Verdict) -> Clause:
    """Dollars per extra success, and under a value rule what is left of it."""
    cost = verdict.cost
    primary = next((c for c in verdict.comparisons if c.metric == verdict.rule.metric), None)
    if cost is None or primary is None or primary.kind == "amount":
        return []
    gain = -primary.difference if primary.better == "lower" else primary.difference
    spend = cost.difference_per_1k_usd
    sentence: Clause = []
    price, low, high = cost.per_extra_success_usd, cost.per_extra_success_low, cost.per_extra_success_high
    thing = "right answer" if primary.kind == "rate" and primary.better == "higher" else "success"
    if price is not None and price > 0 and gain * spend > 0:
        lead = f"One extra {thing} costs " if gain > 0 else f"Each {thing} given up saves "
        interval = f" ({figures.coin_range(low, high)})" if low is not None and high is not None else ""
        sentence = [Phrase(lead), Phrase(figures.coins(price), strong=True), Phrase(interval)]
    value = verdict.rule.usd_per_success
    if verdict.rule.kind == "value" and value is not None:
        net = 1000 * value * gain - spend
        end = "worth" if net >= 0 else "short of its price by"
        at = f"t {figures.coins(value)} each it is {end} "
        start = [*sentence, Phrase("; a" + at)] if sentence else [Phrase("A" + at)]
        return [*start, Phrase(figures.money(abs(net)), strong=True), Phrase(" net per 1,000.")]
    return [*sentence, Phrase(".")] if sentence else []


def _undecided(verdict: Verdict) -> Iterator[Clause]:
    units = verdict.dataset.clusters or verdict.dataset.examples
    primary = find(verdict, verdict.rule.metric)
    name = Phrase(_name(verdict))
    if units < MIN_UNITS:
        what = "example" if units == verdict.dataset.examples else "cluster"
        few = Phrase(f"{figures.counted(units, what)} cannot decide", strong=True)
        yield [few, Phrase(f": below {MIN_UNITS} independent units an interval cannot be trusted.")]
        if primary is not None:
            yield [Phrase("So far "), name, Phrase(" "), *_quality(verdict, primary), Phrase(".")]
        yield _needs(verdict)
        return
    saving, time = _saving(find(verdict, COST)), _time(find(verdict, P50))
    open_guards = [row for row in rows(verdict) if row.role == "guard" and row.holds == "undecided"]
    clauses = [clause for clause in (saving, time if verdict.rule.kind == "noninferiority" else []) if clause]
    if primary is not None:
        clauses.append(_open_primary(verdict, primary))
    yield [name, Phrase(" "), *_and(clauses, last=" and "), Phrase(".")]
    if open_guards:
        yield [Phrase("Not decided because "), *_and([_guard_says(row) for row in open_guards]), Phrase(".")]
    yield _worth(verdict) if verdict.rule.kind == "value" else []
    yield _needs(verdict)


def _saving(row: Row | None) -> Clause:
    if row is None or row.shown in ("unclear", "same"):
        return []
    if row.shown == "worse":
        return _money(row)
    size = Phrase(row.unit.full(row.difference), strong=True)
    return [Phrase("saves "), size, Phrase(f" per 1,000 ({interval_of(row, bare=True)})")]


def _decided(verdict: Verdict, row: Row) -> bool:
    """True where the primary metric alone would ship, so that something else holds the verdict open."""
    rule = verdict.rule
    if rule.kind == "noninferiority":
        return not _beyond_margin(verdict, row)
    return rule.kind == "superiority" and _worst(row) > rule.margin


def _open_primary(verdict: Verdict, row: Row) -> Clause:
    rule = verdict.rule
    if rule.kind == "noninferiority" and not _beyond_margin(verdict, row):
        kept = _not_worse(verdict, row)
        savings = [find(verdict, COST), find(verdict, P50)]
        if any(saving is not None and saving.shown == "better" for saving in savings):
            return kept
        return [*kept, Phrase(", but no saving in dollars or latency is shown")]
    if _decided(verdict, row):
        return _quality(verdict, row)
    worst, best = _worst(row), _best(row)
    unit, on = row.unit, "" if _label(row).lower() in PLAIN_RIGHT else f" on {_label(row)}"
    if worst < 0 < best:
        span = f"{unit.full(worst)} worse to {unit.number(best)} better"
        return [Phrase("may be anything from "), Phrase(span, strong=True), Phrase(on)]
    near, far = sorted((abs(worst), abs(best)))
    way = "better" if best > 0 else "worse"
    asked = ""
    if rule.kind == "superiority" and rule.margin:
        asked = f", where more than {unit.full(rule.margin)} is asked for"
    elif rule.kind == "noninferiority":
        asked = f", where {unit.full(rule.margin)} are allowed"
    return [
        Phrase("is "), Phrase(f"{unit.number(near)} to {unit.full(far)} {way}", strong=True), Phrase(on + asked)
    ]  # fmt: skip


def _needs(verdict: Verdict) -> Clause:
    needs = verdict.needs
    if needs is None:
        return []
    if needs.examples is None:
        return [Phrase(needs.note)]
    size = f"{figures.count(rounded_up(needs.examples))} more {'example' if needs.examples == 1 else 'examples'}"
    price = f", {figures.money(needs.cost_usd)}" if needs.cost_usd is not None else ""
    return [Phrase("At this spread you need about "), Phrase(size + price, strong=True), Phrase(".")]


def interval_of(row: Row, *, bare: bool = False) -> str:
    """`±4.3` where the interval is even about the difference, else its ends in the direction of the sentence.

    `bare` leaves out the sign of the ends: `12.69 to 13.93` after "costs $13.31 more".
    """
    if row.low is None or row.high is None:
        return "no interval"
    down, up = row.difference - row.low, row.high - row.difference
    half = (down + up) / 2
    if half > 0 and abs(up - down) <= 0.25 * half:
        return f"±{row.unit.number(half)}"
    if bare and row.low * row.high > 0:
        near, far = sorted((abs(row.low), abs(row.high)))
        return f"{row.unit.number(near)} to {row.unit.number(far)}"
    return _ends(row)


def _ends(row: Row) -> str:
    if row.low is None or row.high is None:
        return "no interval"
    return row.unit.range(row.low, row.high)


def _and(clauses: Sequence[Clause], last: str = ", ") -> Clause:
    """Clauses as one list: `a, b, c`; two are joined by "and"."""
    joined: Clause = []
    for at, clause in enumerate(clauses):
        if at:
            joined.append(Phrase(" and " if len(clauses) == 2 else last if at == len(clauses) - 1 else ", "))
        joined.extend(clause)
    return joined


def rounded_up(examples: int) -> int:
    """From 100 on two digits: a number of examples that is itself an estimate."""
    step = 10 ** max(0, len(str(examples)) - 2)
    return -(-examples // step) * step
