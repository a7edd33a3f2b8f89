"""Where two answers part: word by word, long agreement folded."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rapidfuzz.distance import LCSseq

MOST_CHARACTERS = 4_000
"""Of one answer that a page shows; the rest is cut, with its count."""

UNLIKE = 0.25
"""Below this share of common words two answers are shown as they are: everything would be marked."""

SHORTEST_RUN = 3
"""Words in a row that must agree to count as agreement; single words agree by chance."""

LONGEST_RUN, KEPT = 40, 8
"""Agreement longer than this is folded, all but this many words at its ends."""

LONGEST_PLAIN, KEPT_HEAD, KEPT_TAIL = 150, 30, 60
"""Unlike answers longer than this keep their head, and their tail, where the conclusion mostly is."""

# A word, one character of a script without spaces, or one sign, each with the space before it.
PIECES = re.compile(r"\s*(?:[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s])")


class Piece(NamedTuple):
    """`same` in both, `apart` in this one only, `plain` not compared. `folded` pieces are shown on demand."""

    text: str
    kind: Literal["same", "apart", "plain"]
    folded: bool = False


class Diff(NamedTuple):
    """`agreement` is the share of words that both have in common, 0 to 1; `cut` characters left off at the ends."""

    before: list[Piece]
    after: list[Piece]
    agreement: float
    cut_before: int
    cut_after: int


def compare(before: str, after: str) -> Diff:
    """Both texts in pieces that join to the text again, but for what is cut and for space at the very end."""
    cuts = max(0, len(before) - MOST_CHARACTERS), max(0, len(after) - MOST_CHARACTERS)
    words_before = PIECES.findall(before[:MOST_CHARACTERS])
    words_after = PIECES.findall(after[:MOST_CHARACTERS])
    runs = _runs(words_before, words_after)
    common = sum(stop - start for start, stop, _, _ in runs)
    total = len(words_before) + len(words_after)
    agreement = 2 * common / total if total else 1.0
    if agreement < UNLIKE:
        return Diff(_plain(words_before), _plain(words_after), agreement, *cuts)
    return Diff(
        _pieces(words_before, [(start, stop) for start, stop, _, _ in runs]),
        _pieces(words_after, [(start, stop) for _, _, start, stop in runs]),
        agreement,
        *cuts,
    )


Run = tuple[int, int, int, int]


def _runs(before: Sequence[str], after: Sequence[str]) -> list[Run]:
    """Stretches that agree, as (start, stop) in both, without those that agree by chance."""
    if not before or not after:
        return []
    keys_before, keys_after = [word.strip() for word in before], [word.strip() for word in after]
    runs = [
        (code.src_start, code.src_end, code.dest_start, code.dest_end)
        for code in LCSseq.opcodes(keys_before, keys_after)
        if code.tag == "equal"
    ]
    return [
        run
        for run in runs
        if sum(word[-1].isalnum() for word in keys_before[run[0] : run[1]]) >= SHORTEST_RUN
        or (run[0] == run[2] == 0 or (run[1] == len(before) and run[3] == len(after)))
    ]


def _pieces(words: Sequence[str], runs: Sequence[tuple[int, int]]) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for start, stop in [*runs, (len(words), len(words))]:
        if start > at:
            pieces.append(Piece("".join(words[at:start]), "apart"))
        pieces.extend(_agreement(words[start:stop], first=start == 0, last=stop == len(words)))
        at = stop
    return pieces


def _agreement(words: Sequence[str], *, first: bool, last: bool) -> list[Piece]:
    if not words:
        return []
    if len(words) <= LONGEST_RUN:
        return [Piece("".join(words), "same")]
    head = 0 if first else KEPT
    tail = 0 if last and not first else KEPT
    middle = words[head : len(words) - tail]
    parts = (Piece("".join(words[:head]), "same"), Piece("".join(middle), "same", folded=True))
    return [part for part in (*parts, Piece("".join(words[len(words) - tail :]), "same")) if part.text]


def _plain(words: Sequence[str]) -> list[Piece]:
    if len(words) <= LONGEST_PLAIN:
        return [Piece("".join(words), "plain")] if words else []
    return [
        Piece("".join(words[:KEPT_HEAD]), "plain"),
        Piece("".join(words[KEPT_HEAD:-KEPT_TAIL]), "plain", folded=True),
        Piece("".join(words[-KEPT_TAIL:]), "plain"),
    ]


def word_count(text: str) -> int:
    return len(text.split())
