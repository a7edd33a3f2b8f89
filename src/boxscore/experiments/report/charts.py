"""The two charts of the report: cost against quality with the frontier, and latency as a mirrored histogram.

Each is drawn twice, for a wide and for a narrow page, because text must not shrink with the picture; the style sheet
shows one of them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from boxscore import figures
from boxscore.experiments.report.plots import series, shape
from boxscore.experiments.report.score import variants
from boxscore.experiments.verdict import Evidence, VariantSummary, Verdict
from boxscore.text import middle_cut, stripped

WIDE, NARROW = 532, 350
LETTER = 6.3
"""Pixels that a letter of 12 pixels takes, roughly, for placing labels."""


@dataclass(frozen=True)
class Point:
    """One variant on the chart. `value` in shown units (percent, or the metric's own)."""

    place: int
    name: str
    cost: float
    value: float
    low: float
    high: float
    cost_low: float
    cost_high: float


@dataclass(frozen=True)
class Figure:
    """`title` states the finding, `words` say for a screen reader what is drawn, `svg` is empty where there is none."""

    title: str
    words: str
    svg: str = ""


Finding = Callable[[Sequence[Point], Sequence[Point], bool], str]
"""Points, those of them on the frontier, and whether more is better: what that shows, in words."""


def frontier(verdict: Verdict) -> Figure:
    """Cost against quality of every variant that was run: baseline, candidate and those also run."""
    return frontier_of(
        variants(verdict), verdict.rule.metric, lambda points, best, up: _finding(verdict, points, best, up)
    )


def frontier_of(shown: Sequence[VariantSummary], metric: str, finding: Finding | None = None) -> Figure:
    """The same of variants that need not have been compared; `finding` gives the title."""
    points = list(_points(shown, metric))
    known = next((v.metrics[metric] for v in shown if metric in v.metrics), None)
    if len(points) < 2 or known is None:
        return Figure("Cost against quality", "Cost was not recorded for both variants, so there is nothing to draw.")
    up = known.better == "higher"
    best = _best(points, up=up)
    words = "; ".join(
        f"{p.name} {p.value:.3g}{' %' if known.kind != 'amount' else ''} at {figures.money(p.cost)} per 1,000"
        + ("" if p in best else ", dominated")
        for p in points
    )
    unit = "%" if known.kind != "amount" else stripped(known.unit)
    label = stripped(metric) + (f", {unit}" if unit else "") + ("" if up else "; less is better, drawn up")
    drawn = "".join(_frontier(points, best, label, up, width) for width in (WIDE, NARROW))
    return Figure(finding(points, best, up) if finding else "Cost against quality", words, drawn)


def _points(shown: Sequence[VariantSummary], name: str) -> Iterator[Point]:
    for place, variant in enumerate(shown):
        metric = variant.metrics.get(name)
        cost = variant.cost_per_1k_usd
        if metric is None or cost is None or not math.isfinite(cost) or not math.isfinite(metric.value):
            continue
        factor = 1.0 if metric.kind == "amount" else 100.0
        yield Point(
            place,
            stripped(variant.name),
            cost,
            metric.value * factor,
            (metric.value if metric.low is None else metric.low) * factor,
            (metric.value if metric.high is None else metric.high) * factor,
            variant.cost_per_1k_low if variant.cost_per_1k_low is not None else cost,
            variant.cost_per_1k_high if variant.cost_per_1k_high is not None else cost,
        )


def _best(points: Sequence[Point], *, up: bool) -> list[Point]:
    """The frontier: those that nothing cheaper equals, by cost."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, -p.value if up else p.value)):
        if not kept or (point.value > kept[-1].value if up else point.value < kept[-1].value):
            kept.append(point)
    return kept


def _finding(verdict: Verdict, points: Sequence[Point], best: Sequence[Point], up: bool) -> str:
    base = next((p for p in points if p.place == 0), None)
    new = next((p for p in points if p.place == 1), None)
    if base is None or new is None:
        return "Cost against quality"
    gain, extra = (new.value - base.value) * (1 if up else -1), new.cost - base.cost
    for other in sorted((p for p in best if p.place > 1), key=lambda p: p.cost):
        got = (other.value - base.value) * (1 if up else -1)
        if gain > 0 and extra > 0 and got >= gain / 2 and other.cost - base.cost <= extra / 4:
            share = f"{100 * got / gain:.0f} %" if got < gain else "all"
            return f"{_short(other.name)} holds {share} of the gain for a fraction of the cost"
    if new not in best:
        return f"{_short(new.name)} is dominated: another is better for less"
    name = _short(new.name)
    quality = "better" if gain > 0 else "worse" if gain < 0 else "as good"
    money = "dearer" if extra > 0 else "cheaper" if extra < 0 else "costs the same"
    if verdict.comparisons and all(
        c.shown == "unclear" for c in verdict.comparisons if c.metric == verdict.rule.metric
    ):
        return f"{name} is {money}; a difference in quality is not shown"
    return f"{name} is {quality} and {money}"


def _short(name: str) -> str:
    return middle_cut(name, 28)


# -- drawing of the frontier ---------------------------------------------------------------------------------------


def _frontier(points: Sequence[Point], best: Sequence[Point], label: str, up: bool, width: int) -> str:
    height, left, right, top, bottom = 268, 44, 14, 26, 40
    costs = [end for p in points for end in (p.cost_low, p.cost_high, p.cost)]
    x_of, x_ticks = _cost_scale(costs, left, width - right)
    values = [end for p in points for end in (p.low, p.high, p.value)]
    ticks = round_ticks(min(values), max(values), 5)
    span = ticks[-1] - ticks[0]

    def y_of(value: float) -> float:
        share = (value - ticks[0]) / span
        return top + (height - top - bottom) * (1 - share if up else share)

    parts = [f'<text class="l2" x="{left}" y="12">{escape(middle_cut(label, (width - left) // 7))}</text>']
    for tick in ticks:
        y = round(y_of(tick)) + 0.5
        parts.append(f'<line class="gr" x1="{left}" x2="{width - right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    floor = height - bottom
    for tick in x_ticks:
        x = round(x_of(tick)) + 0.5
        parts.append(f'<line class="ax" x1="{x}" x2="{x}" y1="{floor}" y2="{floor + 4}"/>')
        parts.append(f'<text x="{x}" y="{floor + 18}" text-anchor="middle">${tick:g}</text>')
    parts.append(f'<line class="ax" x1="{left}" x2="{width - right}" y1="{floor + 0.5}" y2="{floor + 0.5}"/>')
    scale = ", log scale" if _is_log(costs) else ""
    parts.append(f'<text x="{width - right}" y="{height - 4}" text-anchor="end">$ per 1,000 calls{scale}</text>')
    path = ""
    for at, point in enumerate(best):
        x, y = x_of(point.cost), y_of(point.value)
        path += f"M{x:.1f} {y:.1f}" if not at else f"H{x:.1f}V{y:.1f}"
    parts.append(f'<path class="front" d="{path}H{width - right}"/>')
    places = [(x_of(p.cost), y_of(p.value)) for p in points]
    taken = [(x - 8, y - 9, x + 8, y + 9) for x, y in places]
    for point, (x, y) in zip(points, places, strict=True):
        taken.append((x - 3, min(y_of(point.low), y_of(point.high)), x + 3, max(y_of(point.low), y_of(point.high))))
        taken.append((x_of(point.cost_low), y - 3, x_of(point.cost_high), y + 3))
    # The frontier's own lines are in the way too.
    corners = [(x_of(p.cost), y_of(p.value)) for p in best]
    for (x, y), (next_x, next_y) in pairwise([*corners, (width - right, corners[-1][1])]):
        taken += [(x, y - 4, next_x, y + 4), (next_x - 4, min(y, next_y), next_x + 4, max(y, next_y))]
    for point, (x, y) in zip(points, places, strict=True):
        top_y, low_y = sorted((y_of(point.low), y_of(point.high)))
        ends = x_of(point.cost_low), x_of(point.cost_high)
        note = "" if point in best else "dominated"
        name = middle_cut(point.name, 24)
        text_x, text_y = _free(
            x, y, max(len(name) * LETTER * 1.06, len(note) * LETTER), bool(note), width, floor, taken
        )
        parts.append(
            f'<g class="{series(point.place)}" data-place="{point.place}">'
            f"<title>{escape(point.name)}: {point.value:.3g} at {escape(figures.money(point.cost))} per 1,000</title>"
            f'<path class="whisk" d="M{x:.1f} {top_y:.1f}V{low_y:.1f}M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}"/>'
            f'<svg x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12" viewBox="0 0 10 10">'
            f'<circle cx="5" cy="5" r="5" class="under"/>{shape(point.place)}</svg></g>'
            f'<text class="lab" x="{text_x:.1f}" y="{text_y:.1f}">{escape(name)}</text>'
        )
        if note:
            parts.append(f'<text class="l2" x="{text_x:.1f}" y="{text_y + 15:.1f}">{note}</text>')
    return frame(width, height, parts)


def _free(
    x: float, y: float, wide: float, two: bool, width: int, floor: int, taken: list[tuple[float, float, float, float]]
) -> tuple[float, float]:
    """A place for a label near its point: the one that covers least of what is there. It is then taken."""
    tall = 29 if two else 14
    spots = [
        (x + 12, y + 4), (x - wide - 12, y + 4), (x + 8, y + 20), (x + 8, y - 12 - (15 if two else 0)),
        (x - wide - 8, y + 20), (x - wide - 8, y - 12 - (15 if two else 0)), (x - wide / 2, y + 24),
        (x - wide / 2, y - 16 - (15 if two else 0)), (x + 10, y + 36), (x - wide - 10, y + 36), (x + 10, y - 34),
        (x - wide - 10, y - 34), (x + 18, y + 18), (x - wide - 18, y + 18),
    ]  # fmt: skip

    def cost(spot: tuple[float, float]) -> float:
        box = (spot[0], spot[1] - 11, spot[0] + wide, spot[1] - 11 + tall)
        outside = (
            max(0.0, 46 - box[0]) + max(0.0, box[2] - width + 2) + max(0.0, 14 - box[1]) + max(0.0, box[3] - floor)
        )
        over = sum(
            max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
            * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
            for other in taken
        )
        return outside * 30 + over

    best = min(spots, key=cost)
    best = (max(4.0, min(best[0], width - wide - 2)), best[1])
    taken.append((best[0], best[1] - 11, best[0] + wide, best[1] - 11 + tall))
    return best


def _is_log(costs: Sequence[float]) -> bool:
    return min(costs) > 0 and max(costs) / min(costs) > 6


def _cost_scale(costs: Sequence[float], start: int, stop: int) -> tuple[Callable[[float], float], list[float]]:
    """Dollars to pixels, and the ticks: logarithmic where the dearest costs more than six times the cheapest."""
    if _is_log(costs):
        low, high = math.log10(min(costs)) - 0.12, math.log10(max(costs)) + 0.2
        steps = [m * 10.0**e for e in range(math.floor(low) - 1, math.ceil(high) + 1) for m in (1, 3)]
        ticks = [step for step in steps if low <= math.log10(step) <= high]
        if len(ticks) > 6:
            ticks = [tick for tick in ticks if abs(math.log10(tick) % 1) < 1e-6]
        return lambda cost: start + (stop - start) * (math.log10(cost) - low) / (high - low), ticks
    ticks = round_ticks(min(0.0, *costs), max(costs) * 1.08 or 1.0, 5)
    return lambda cost: start + (stop - start) * (cost - ticks[0]) / (ticks[-1] - ticks[0]), ticks


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers that hold `low` to `high`, about `most` of them."""
    if not high > low:
        low, high = low - (abs(low) * 0.1 or 1.0), high + (abs(high) * 0.1 or 1.0)
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


# -- latency -------------------------------------------------------------------------------------------------------


def latency(verdict: Verdict, evidence: Evidence) -> Figure:
    """Both distributions of seconds, baseline up, candidate down, as shares of its own calls."""
    pair = (verdict.baseline, verdict.candidate)
    known = [[t for t in evidence.latencies.get(v.name, ()) if math.isfinite(t) and t >= 0] for v in pair]
    if not all(known):
        return Figure("Latency", "Latency was not recorded for both variants, so there is nothing to draw.")
    if min(len(times) for times in known) < FEWEST_CALLS:
        counts = " and ".join(f"{len(times):,}" for times in known)
        return Figure("Latency", f"With {counts} calls there is no distribution to draw; p50 and p95 are above.")
    words = "; ".join(
        f"{stripped(v.name)}: p50 {_time(v.latency_p50_s)}, p95 {_time(v.latency_p95_s)}, longest {_time(max(times))}"
        for v, times in zip(pair, known, strict=True)
    )
    drawn = "".join(_histogram(pair, known, width) for width in (WIDE, NARROW))
    return Figure(_latency_finding(verdict), words, drawn)


FEWEST_CALLS = 5


def _latency_finding(verdict: Verdict) -> str:
    shown, name = verdict.latency, _short(stripped(verdict.candidate.name))
    if shown is None:
        return "Latency of both variants"
    ways = {"better": "faster", "worse": "slower", "unclear": "", "same": ""}
    middle, tail = ways[shown.p50_shown], ways[shown.p95_shown]
    if middle and middle == tail:
        return f"{name} is {middle} at p50 and at p95"
    if middle and tail:
        return f"{name} is {middle} at p50 and {tail} at p95"
    if middle or tail:
        here, there = ("p50", "p95") if middle else ("p95", "p50")
        return f"{name} is {middle or tail} at {here}; no difference at {there} is shown"
    return "No difference in latency is shown"


def _time(value: float | None) -> str:
    if value is None:
        return "not recorded"
    return figures.seconds([value]).full(value)


def _histogram(pair: tuple[VariantSummary, VariantSummary], known: Sequence[Sequence[float]], width: int) -> str:
    height, left, right, axis, bottom = 268, 12, 12, 118, 36
    half = 92
    ends = [v.latency_p95_high or v.latency_p95_s or 0.0 for v in pair]
    reach = (
        max(*ends, *(sorted(times)[int(0.985 * (len(times) - 1))] for times in known)) * 1.24 or 1.0
    )  # room for labels
    in_ms = reach < 1
    step = _bin(reach, 36 if width > 400 else 26)
    bins = math.ceil(reach / step - 1e-9)
    stop = bins * step
    shares: list[list[float]] = []
    for times in known:
        counts = [0] * bins
        for time in times:
            if time < stop:
                counts[min(bins - 1, int(time / step))] += 1
        shares.append([count / len(times) for count in counts])
    tallest = max(max(share) for share in shares) or 1.0

    def x_of(time: float) -> float:
        return left + (width - left - right) * min(1.0, time / stop)

    parts: list[str] = []
    for tick in round_ticks(0.0, stop, 8 if width > 400 else 5):
        if tick <= stop * 1.0001:
            x = round(x_of(tick)) + 0.5
            text = f"{tick * 1000:g}" if in_ms else f"{tick:g}"
            parts.append(f'<line class="gr" x1="{x}" x2="{x}" y1="20" y2="{axis + half + 6}"/>')
            parts.append(f'<text x="{x}" y="{height - bottom + 14}" text-anchor="middle">{text}</text>')
    for side, (variant, share, times) in enumerate(zip(pair, shares, known, strict=True)):
        way = 1 if side else -1
        name = middle_cut(stripped(variant.name), 26)
        path = f"M{x_of(0):.1f} {axis}"
        for at, part in enumerate(share):
            path += f"V{axis + way * half * part / tallest:.1f}H{x_of((at + 1) * step):.1f}"
        parts.append(f'<path class="hist {series(side)}" d="{path}V{axis}z"/>')
        beyond = sum(time >= stop for time in times)
        far = (
            f"{figures.counted(beyond, 'call')} beyond {stop * 1000 if in_ms else stop:g}, longest {_time(max(times))}"
        )
        name_y = 34 if not side else axis + half
        # The name stands where the calls are not.
        late = variant.latency_p50_s is not None and variant.latency_p50_s > 0.45 * stop
        place = f'x="{left}" text-anchor="start"' if late else f'x="{width - right}" text-anchor="end"'
        parts.append(f'<text class="lab" y="{name_y}" {place}>{escape(name)}</text>')
        if beyond:
            parts.append(f'<text y="{name_y + 15 * (1 if not side else -1)}" {place}>{far}</text>')
        parts.append(_percentiles(variant, side, axis, half, x_of, width - right))
    parts.append(f'<line class="zero" x1="{left}" x2="{width - right}" y1="{axis + 0.5}" y2="{axis + 0.5}"/>')
    unit = f"{step * 1000:g} ms" if in_ms else f"{step:g} s"
    note = f"{'milliseconds' if in_ms else 'seconds'}; height is the share of calls in each {unit}"
    parts.append(f'<text x="{width - right}" y="{height - 4}" text-anchor="end">{note}</text>')
    return frame(width, height, parts)


def _percentiles(
    variant: VariantSummary, side: int, axis: int, half: int, x_of: Callable[[float], float], edge: int
) -> str:
    """p50 as a dotted line over the half, p95 with its interval beside the tail; both labelled where they stand."""
    parts: list[str] = []
    p50, p95 = variant.latency_p50_s, variant.latency_p95_s
    if p50 is not None:
        x = x_of(p50)
        far = axis + half + 8 if side else axis - half - 8
        start = x if x < edge - 90 else x - 4
        anchor = "start" if start == x else "end"
        parts.append(f'<path class="p50" d="M{x:.1f} {axis}V{far}"/>')
        y = far + 2 if side else far + 4
        start += 4 if anchor == "start" else 0
        parts.append(f'<text x="{start:.1f}" y="{y}" text-anchor="{anchor}">p50 {_time(p50)}</text>')
    if p95 is not None:
        x, y = x_of(p95), axis + (30 if side else -30)
        low, high = x_of(variant.latency_p95_low or p95), x_of(variant.latency_p95_high or p95)
        text = f"p95 {_time(p95)}"
        beside = high + 6 + len(text) * LETTER < edge
        spot = (high + 6, y + 4, "start") if beside else (min(edge, high), y + (18 if side else -8), "end")
        parts.append(
            f'<path class="whisk {series(side)}" d="M{low:.1f} {y}H{high:.1f}M{x:.1f} {y - 5}v10"/>'
            f'<text x="{spot[0]:.1f}" y="{spot[1]}" text-anchor="{spot[2]}">{text}</text>'
        )
    return "".join(parts)


def _bin(reach: float, most: int) -> float:
    """A round width so that at most `most` bins hold `reach`."""
    raw = reach / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))


def frame(width: int, height: int, parts: Sequence[str]) -> str:
    kind = "wide" if width == WIDE else "narrow"
    return f'<svg class="{kind}" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(parts)}</svg>'
