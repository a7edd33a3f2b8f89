"""What other settings would decide: the margin and the price of a success as tracks, cut where the verdict changes.

The question is never "what is the margin" but "which margin would change the answer". Each track reads the same
interval that decided, so it can be drawn from the verdict alone. Guards are left aside.
"""

from collections.abc import Iterator
from html import escape

from boxscore import figures
from boxscore.experiments.report.plots import state, strip
from boxscore.experiments.report.rows import Row, rows
from boxscore.experiments.verdict import MIN_UNITS, Decision, Verdict


def table(verdict: Verdict) -> str:
    """The section's HTML; empty where nothing can be said."""
    primary = next((row for row in rows(verdict) if row.role == "primary"), None)
    if primary is None or primary.low is None or (verdict.dataset.clusters or verdict.dataset.examples) < MIN_UNITS:
        return ""
    lines = [*_margin(verdict, primary), *_tolerance(verdict, primary), *_price(verdict, primary)]
    if not lines:
        return ""
    left = ["guards"] if verdict.rule.guards else []
    left += ["calibration of the judge"] if any(check.role == "calibration" for check in verdict.checks) else []
    aside = f" {' and '.join(left).capitalize()} {'are' if verdict.rule.guards else 'is'} left aside." if left else ""
    hint = f"The verdict keeps the rule that was set before the run; these say what would change it.{aside}"
    return (
        f'<div class="h"><h2>What other settings would decide</h2><p class="fine">{hint}</p></div>'
        f'<table class="set"><thead class="unseen"><tr><th scope="col">setting</th><th scope="col">track</th>'
        f'<th scope="col">decides</th></tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )


def _line(name: str, under: str, cuts: list[tuple[float, Decision]], end: float, now: float | None, said: str) -> str:
    """`cuts` are (up to here, what is decided) in the setting's unit, the last up to `end`."""
    parts: list[tuple[float, Decision]] = []
    at = 0.0
    for stop, decision in cuts:
        stop = min(max(stop, at), end)
        parts.append(((stop - at) / end, decision))
        at = stop
    drawn = strip(parts, None if now is None else min(1.0, now / end))
    return (
        f'<tr><th scope="row">{name}<br><span class="fine">{under}</span></th><td class="plot">{drawn}</td>'
        f'<td class="lead">{said}</td></tr>'
    )


def _ends(row: Row) -> tuple[float, float]:
    """The interval, oriented so that more is better."""
    low, high = row.low or 0.0, row.high or 0.0
    return (-high, -low) if row.flip else (low, high)


def _margin(verdict: Verdict, row: Row) -> Iterator[str]:
    """Superiority: the gain that is asked for."""
    low, high = _ends(row)
    if high <= 0:
        return
    now = verdict.rule.margin if verdict.rule.kind == "superiority" else None
    end = figures.nice_bound(max(high * 1.2, (now or 0.0) * 1.2) * row.unit.factor) / row.unit.factor
    said = [f"rejected where more than {row.unit.full(high)} are asked for"]
    if low > 0:
        said.insert(0, f"ships where up to {row.unit.full(low)} are asked for")
    under = "how much better it must be" + (f"; set to {row.unit.full(now)}" if now is not None else "")
    yield _line(
        "Superiority", escape(under), [(low, "ship"), (high, "undecided"), (end, "reject")], end, now, _said(said)
    )


def _tolerance(verdict: Verdict, row: Row) -> Iterator[str]:
    """Noninferiority: the loss that is tolerated, where something is saved."""
    low, high = _ends(row)
    saves = (verdict.cost is not None and verdict.cost.shown == "better") or (
        verdict.latency is not None and verdict.latency.p50_shown == "better"
    )
    if not saves or low >= 0:
        return
    now = verdict.rule.margin if verdict.rule.kind == "noninferiority" else None
    end = figures.nice_bound(max(-low * 1.2, (now or 0.0) * 1.2) * row.unit.factor) / row.unit.factor
    said = [f"ships where a loss of {row.unit.full(low)} is tolerated"]
    if high < 0:
        said.insert(0, f"rejected where less than {row.unit.full(high)} are")
        said.reverse()
    under = "how much worse it may be, as it saves" + (f"; set to {row.unit.full(now)}" if now is not None else "")
    yield _line(
        "Noninferiority", escape(under), [(-high, "reject"), (-low, "undecided"), (end, "ship")], end, now, _said(said)
    )


def _price(verdict: Verdict, row: Row) -> Iterator[str]:
    """Value: what a success is worth, where the price of one has a finite interval."""
    cost = verdict.cost
    if cost is None or cost.per_extra_success_low is None or cost.per_extra_success_high is None:
        return
    low, high = cost.per_extra_success_low, cost.per_extra_success_high
    gain = -row.difference if row.flip else row.difference
    if not 0 < low < high or gain * cost.difference_per_1k_usd <= 0:
        return
    now = verdict.rule.usd_per_success if verdict.rule.kind == "value" else None
    end = figures.nice_bound(max(high * 1.6, (now or 0.0) * 1.2))
    first, last = ("reject", "ship") if gain > 0 else ("ship", "reject")
    word = "right answer" if row.unit.factor == 100 and not row.flip else "success"
    ends = figures.coins(low), figures.coins(high)
    said = [f"ships where one is worth more than {ends[1]}", f"rejected below {ends[0]}"]
    if gain < 0:
        said = [f"ships where one is worth less than {ends[0]}", f"rejected above {ends[1]}"]
    under = f"what one more {word} is worth" + (f"; set to {figures.coins(now)}" if now is not None else "")
    yield _line(
        "Value", escape(under), [(low, first), (high, "undecided"), (end, last)], end, now, _said(said)
    )  # fmt: skip


def _said(sentences: list[str]) -> str:
    marks: dict[str, Decision] = {"ships": "ship", "rejected": "reject"}
    return "<br>".join(
        f'<span class="nw">{state(marks[sentence.split()[0]])}</span> {escape(sentence)}' for sentence in sentences
    )
