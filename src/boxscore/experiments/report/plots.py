"""Small drawings inside tables: marks of variants and states, intervals, strips of what a setting decides.

Positions are percentages, so that a drawing takes the width of its cell while text and strokes keep their size. No
style attribute is written: the page's policy forbids them.
"""

from html import escape

from boxscore.experiments.report.rows import Look, Row
from boxscore.experiments.verdict import Decision, SliceComparison

STATES: dict[str, str] = {
    "better": "good", "worse": "bad", "unclear": "open", "same": "open",
    "plain": "plain", "ship": "good", "reject": "bad", "undecided": "open",
}  # fmt: skip
SERIES = 5
"""Colours of variants; from the sixth on they come again with another shape."""

SHAPES = (
    '<circle cx="5" cy="5" r="3.6" class="hollow"/>',
    '<circle cx="5" cy="5" r="4.6" class="full"/>',
    '<path d="M1.4 1.4h7.2v7.2H1.4z" class="hollow"/>',
    '<path d="M5 1 9.2 8.6H.8z" class="hollow"/>',
    '<path d="M5 9 .8 1.4h8.4z" class="hollow"/>',
    '<path d="M1.4 1.4 8.6 8.6M8.6 1.4 1.4 8.6" class="hollow"/>',
)
"""By place of the variant: baseline, candidate, then those also run."""


def series(place: int) -> str:
    return f"v{place if place < SERIES else 2 + (place - 2) % 3}"


def shape(place: int) -> str:
    return SHAPES[place if place < len(SHAPES) else 2 + (place - 2) % 4]


def mark(place: int) -> str:
    """The mark of a variant, the same on all charts of a page."""
    return f'<svg class="mk {series(place)}" viewBox="0 0 10 10" aria-hidden="true">{shape(place)}</svg>'


def state(shown: Look | Decision) -> str:
    """● better or ship, ◆ worse or reject, ○ open."""
    drawn = {
        "good": '<circle cx="5" cy="5" r="4.5" fill="currentColor"/>',
        "bad": '<path d="M5 0 10 5 5 10 0 5z" fill="currentColor"/>',
        "open": '<circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" stroke-width="2"/>',
        "plain": '<path d="M5 1v8" stroke="currentColor" stroke-width="2"/>',
    }[STATES[shown]]
    return f'<svg class="mk {STATES[shown]}" viewBox="0 0 10 10" aria-hidden="true">{drawn}</svg>'


def interval(row: Row) -> str:
    """The row's interval about zero, its margin or guard shaded, ends of the scale printed."""
    ends = (row.bound(), -row.bound()) if row.flip else (-row.bound(), row.bound())
    low, high = (end_of(row, end) for end in ends)
    words = f"{row.label}: {row.unit.signed_full(row.difference)}"
    if row.low is not None and row.high is not None:
        words += f", interval {row.unit.range(row.low, row.high)}"
    band = ""
    if row.band:
        edges = sorted(row.place(edge) for edge in row.band)
        band = f'<rect class="shade" x="{_pc(edges[0])}" y="0" width="{_pc(edges[1] - edges[0])}" height="28"/>'
    drawn = _dot(
        row.place(row.difference),
        None if row.low is None else row.place(row.low),
        None if row.high is None else row.place(row.high),
        row.look,
    )
    return (
        f'<div class="ends"><span>{escape(low)}</span><svg class="iv" role="img" aria-label="{escape(words)}">'
        f'{band}<line class="zero" x1="50%" x2="50%" y1="0" y2="28"/>{drawn}</svg><span>{escape(high)}</span></div>'
    )


def slice_interval(slice_: SliceComparison, row: Row, bound: float) -> str:
    """A slice's interval on the scale that all slices share."""

    def place(value: float) -> float:
        share = value / bound
        return min(1.0, max(0.0, 0.5 + (-share if row.flip else share) / 2))

    words = f"{row.unit.signed_full(slice_.difference)}, interval {row.unit.range(slice_.low, slice_.high)}"
    drawn = _dot(place(slice_.difference), place(slice_.low), place(slice_.high), slice_.shown)
    zero = '<line class="zero" x1="50%" x2="50%" y1="0" y2="28"/>'
    return f'<svg class="iv" role="img" aria-label="{escape(words)}">{zero}{drawn}</svg>'


def strip(parts: list[tuple[float, Decision]], now: float | None) -> str:
    """A track from 0 to 1: `parts` are (width, what is decided there), `now` is where the setting stands."""
    drawn: list[str] = []
    at = 0.0
    for width, decision in parts:
        if width > 0:
            kind = STATES[decision]
            drawn.append(
                f'<rect class="wash {kind}" x="{_pc(at)}" y="18" width="{_pc(width)}" height="12"/>'
                f'<rect class="edge {kind}" x="{_pc(at)}" y="18" width="{_pc(width)}" height="2"/>'
            )
            word = {"ship": "ships", "reject": "rejected", "undecided": "undecided"}[decision]
            if width >= (0.2 if decision == "undecided" else 0.16):
                drawn.append(f'<text class="{kind}" x="{_pc(at)}" y="12">{word}</text>')
        at += width
    if now is not None:
        drawn.append(f'<rect class="now" x="{_pc(now)}" y="14" width="3" height="20"/>')
    return f'<svg class="strip" aria-hidden="true">{"".join(drawn)}</svg>'


def _dot(point: float, low: float | None, high: float | None, shown: Look) -> str:
    whisker = ""
    if low is not None and high is not None:
        start, end = (_pc(edge) for edge in sorted((low, high)))
        whisker = (
            f'<line x1="{start}" x2="{end}" y1="14" y2="14" stroke-width="2"/>'
            f'<line x1="{start}" x2="{start}" y1="10" y2="18"/><line x1="{end}" x2="{end}" y1="10" y2="18"/>'
        )
    at = _pc(point)
    body = {
        "good": f'<circle cx="{at}" cy="14" r="4.5" stroke="none"/>',
        "bad": f'<svg x="{at}" y="14" overflow="visible"><path d="M0-6 6 0 0 6-6 0z" stroke="none"/></svg>',
        "open": f'<circle cx="{at}" cy="14" r="4" class="paper" stroke-width="2"/>',
        "plain": f'<line x1="{at}" x2="{at}" y1="8" y2="20" stroke-width="2"/>',
    }[STATES[shown]]
    return f'<g class="{STATES[shown]}" stroke="currentColor" fill="currentColor">{whisker}{body}</g>'


def end_of(row: Row, value: float) -> str:
    size = abs(value * row.unit.factor)
    text = f"{size:,.6g}" if size < 1e6 else f"{size:.1e}"
    after = row.unit.after if row.unit.after.strip() in ("s", "ms") else ""
    return f"{'−' if value < 0 else '+'}{row.unit.before}{text}{after}"


def _pc(share: float) -> str:
    return f"{100 * share:.2f}%".replace(".00%", "%")
