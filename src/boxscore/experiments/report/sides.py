"""One variant's answer in words: what a page says of it, whoever draws the page."""

import re
from collections.abc import Sequence

from boxscore import figures
from boxscore.experiments.report.diff import Piece
from boxscore.experiments.report.rows import Look
from boxscore.experiments.verdict import Side
from boxscore.text import cut, revealed
from boxscore.types import Json

LONGEST_LABEL = 60


def question(inputs: dict[str, Json]) -> str:
    """One input is its own text; several are named."""
    if len(inputs) == 1:
        return plain(next(iter(inputs.values())))
    return "\n".join(f"{name}: {plain(value)}" for name, value in inputs.items())


def plain(value: Json) -> str:
    return value if isinstance(value, str) else str(value)


def numbers(side: Side) -> str:
    """`22 tokens · $0.00011 · 748 ms`, as far as recorded."""
    found = [
        f"{side.tokens_out:,} tokens" if side.tokens_out is not None else "",
        figures.money(side.cost_usd) if side.cost_usd is not None else "",
        figures.seconds([side.latency_s]).full(side.latency_s) if side.latency_s is not None else "",
    ]
    return " · ".join(number for number in found if number)


def outcome(side: Side) -> tuple[Look, str]:
    """`right`, `wrong` or the number, with what the scorer read in the answer, and how it is marked: `plain` is not."""
    read = f" · {cut(revealed(side.label), 30)}" if side.label else ""
    if side.value is None:
        return "plain", f"not scored{read}"
    if side.label in ("preferred", "not preferred"):  # by a pairwise judge: neither right nor wrong
        return ("better" if side.label == "preferred" else "worse"), side.label
    if side.value not in (0.0, 1.0):
        return "plain", f"{side.value:.3g}{read}"
    return ("better", f"right{read}") if side.value == 1 else ("worse", f"wrong{read}")


def marked(pieces: Sequence[Piece], label: str | None) -> list[tuple[Piece, tuple[int, int] | None]]:
    """Each piece with the place of the label in it: its last mention as a word, in the last piece that has one."""
    found: list[tuple[Piece, tuple[int, int] | None]] = [(piece, None) for piece in pieces]
    if not label or len(label) > LONGEST_LABEL:
        return found
    pattern = re.compile(rf"[\[({{*_\"'`]*(?<!\w){re.escape(label)}(?!\w)[\])}}*_\"'`]*", re.IGNORECASE)
    for at in range(len(pieces) - 1, -1, -1):
        places = list(pattern.finditer(pieces[at].text))
        if places:
            found[at] = (pieces[at], places[-1].span())
            break
    return found
