"""How many examples would decide it: the interval closing on what it was held against as examples are added."""

import math
from html import escape

from boxscore.experiments.report.charts import NARROW, WIDE, Figure, frame, round_ticks
from boxscore.experiments.report.rows import Row, rows
from boxscore.experiments.report.words import rounded_up
from boxscore.experiments.verdict import Verdict

STEPS = 60


def closing(verdict: Verdict) -> Figure | None:
    """None where the verdict is decided, and where no number of examples would."""
    needs, have = verdict.needs, verdict.dataset.examples
    row = next((row for row in rows(verdict) if row.role == "primary"), None)
    if needs is None or not needs.examples or row is None or row.low is None or row.high is None or not have:
        return None
    enough = have + rounded_up(needs.examples)
    words = f"The interval of {row.label} narrows as examples are added; about {enough:,} would decide"
    drawn = "".join(_draw(row, verdict, have, enough, width) for width in (WIDE, NARROW))
    return Figure("How many would decide it", words, drawn)


def _draw(row: Row, verdict: Verdict, have: int, enough: int, width: int) -> str:
    height, left, right, top, bottom = 220, 48, 14, 24, 40
    sign, factor = (-1.0 if row.flip else 1.0), row.unit.factor
    middle = sign * row.difference * factor
    low, high = sorted(sign * end * factor for end in (row.low or 0.0, row.high or 0.0))
    last = round_ticks(0.0, enough * 1.35, 5)[-1]
    most = 1.6 * max(abs(low), abs(high), 1e-9)
    marks = round_ticks(-most, most, 6)
    lowest, highest = marks[0], marks[-1]

    def x_of(examples: float) -> float:
        return left + (width - left - right) * examples / last

    def y_of(value: float) -> float:
        inside = min(highest, max(lowest, value))
        return top + (height - top - bottom) * (highest - inside) / (highest - lowest)

    floor = height - bottom
    parts: list[str] = []
    threshold = _threshold(verdict) * factor
    if threshold:
        near, far = sorted((y_of(-abs(threshold)), y_of(abs(threshold))))
        size = f'width="{width - left - right}" height="{far - near:.1f}"'
        parts.append(f'<rect class="shade" x="{left}" y="{near:.1f}" {size}/>')
    for mark in marks[:: 2 if len(marks) > 7 else 1]:
        text = f"{'+' if mark > 0 else '−' if mark < 0 else ''}{abs(mark):g}"
        parts.append(f'<text x="{left - 8}" y="{y_of(mark) + 4:.1f}" text-anchor="end">{text}</text>')
    counts = [last * step / STEPS for step in range(1, STEPS + 1)]
    upper = [(x_of(n), y_of(middle + (high - middle) * math.sqrt(have / n))) for n in counts]
    lower = [(x_of(n), y_of(middle - (middle - low) * math.sqrt(have / n))) for n in counts]
    area = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*upper, *reversed(lower)])
    parts.append(f'<path class="hist v1 closing" d="M{area}z"/>')
    y = y_of(middle)
    parts.append(f'<path class="front" d="M{x_of(counts[0]):.1f} {y:.1f}H{width - right}"/>')
    zero = round(y_of(0.0)) + 0.5
    parts.append(f'<line class="zero" x1="{left}" x2="{width - right}" y1="{zero}" y2="{zero}"/>')
    near = x_of(enough) - x_of(have) < 9 * len(f"{have:,} now")
    for examples, text, kind in ((have, f"{have:,} now", "zero"), (enough, f"{enough:,}", "p50")):
        x = round(x_of(examples)) + 0.5
        parts.append(f'<path class="{kind}" d="M{x} {top - 6}V{floor}"/>')
        place = f'x="{x - 5}" text-anchor="end"' if near and examples == have else f'x="{x + 5}"'
        parts.append(f'<text class="lab" {place} y="{top + 4}">{escape(text)}</text>')
    for tick in round_ticks(0.0, last, 5):
        x = round(x_of(tick)) + 0.5
        parts.append(f'<line class="ax" x1="{x}" x2="{x}" y1="{floor}" y2="{floor + 4}"/>')
        parts.append(f'<text x="{x}" y="{floor + 18}" text-anchor="middle">{tick:,g}</text>')
    parts.append(f'<line class="ax" x1="{left}" x2="{width - right}" y1="{floor + 0.5}" y2="{floor + 0.5}"/>')
    parts.append(
        f'<text x="{width - right}" y="{height - 4}" text-anchor="end">examples, if spread and gain stay</text>'
    )
    unit = row.unit.after.strip() or row.unit.before
    parts.append(f'<text class="l2" x="{left}" y="12">{escape(row.label)}{f", {escape(unit)}" if unit else ""}</text>')
    return frame(width, height, parts)


def _threshold(verdict: Verdict) -> float:
    return 0.0 if verdict.rule.kind == "value" else verdict.rule.margin
