"""Answers side by side as data: pieces that agree or part, for a page that draws them itself."""

from collections.abc import Iterable

import msgspec

from boxscore.experiments.report import sides
from boxscore.experiments.report.diff import Piece, compare
from boxscore.experiments.report.plots import STATES
from boxscore.experiments.verdict import Pair, Side
from boxscore.text import cut, revealed


class PieceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of an answer: `same` in both, `apart` in this one only, `plain` not compared. `marked` is where the
    scorer read its label."""

    text: str
    kind: str
    folded: bool = False
    marked: bool = False


class PairSide(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a pair. `cut` characters are left off at its end."""

    state: str
    outcome: str
    numbers: str
    value: float | None
    error: str | None
    note: str | None
    cut: int
    pieces: tuple[PieceLine, ...]


class PairLine(msgspec.Struct, frozen=True, kw_only=True):
    """Both answers to one example, side by side. `agreement` is the share of words in common."""

    example_id: str
    outcome: str
    question: str
    reference: str | None
    slices: dict[str, str]
    agreement: float
    baseline: PairSide
    candidate: PairSide


def pair_line(pair: Pair) -> PairLine:
    parted = compare(revealed(pair.baseline.output), revealed(pair.candidate.output))
    return PairLine(
        example_id=revealed(pair.example_id),
        outcome=pair.outcome,
        question=revealed(sides.question(pair.inputs)),
        reference=None if pair.reference is None else revealed(sides.plain(pair.reference)),
        slices={revealed(name): revealed(str(value)) for name, value in pair.slices.items()},
        agreement=parted.agreement,
        baseline=_answer(pair.baseline, parted.before, parted.cut_before),
        candidate=_answer(pair.candidate, parted.after, parted.cut_after),
    )


def _answer(side: Side, pieces: list[Piece], chopped: int) -> PairSide:
    look, outcome = sides.outcome(side)
    return PairSide(
        state=STATES[look],
        outcome=outcome,
        numbers=sides.numbers(side),
        value=side.value,
        error=None if side.error is None else cut(revealed(side.error), 2_000),
        note=None if side.note is None else cut(revealed(side.note), 500),
        cut=chopped,
        pieces=tuple(_pieces(pieces, side.label)),
    )


def _pieces(pieces: list[Piece], label: str | None) -> Iterable[PieceLine]:
    for piece, place in sides.marked(pieces, label):
        start, stop = place or (len(piece.text), len(piece.text))
        for text, marked in ((piece.text[:start], False), (piece.text[start:stop], True), (piece.text[stop:], False)):
            if text:
                yield PieceLine(text=text, kind=piece.kind, folded=piece.folded and not marked, marked=marked)
