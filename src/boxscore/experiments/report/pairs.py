"""Answers side by side: those that got worse first, with the words in which they part."""

from collections.abc import Sequence
from html import escape
from typing import Literal

from boxscore import figures
from boxscore.experiments.report import sides
from boxscore.experiments.report.diff import Piece, compare, word_count
from boxscore.experiments.report.plots import STATES, mark, state
from boxscore.experiments.verdict import Evidence, Pair, Side, Verdict
from boxscore.text import cut, revealed, stripped
from boxscore.types import Json

Outcome = Literal["worse", "better", "tied"]
OUTCOMES: tuple[Outcome, ...] = ("worse", "better", "tied")

MOST: dict[Outcome, int] = {"worse": 60, "better": 20, "tied": 10}
OPEN = 3
"""Pairs of each kind that stand open; the others show one line until they are asked for."""

LARGEST = 1_100_000
"""Bytes that all pairs together may take, so that a report stays below 2 MB however long the answers are."""

MOST_INPUT = 600


def section(verdict: Verdict, evidence: Evidence) -> str:
    """The section with its segments; a sentence where there is nothing to show."""
    totals = _totals(verdict, evidence)
    shown = _render(verdict, evidence)
    have: list[Outcome] = [outcome for outcome in OUTCOMES if shown[outcome]]
    if not have:
        said = "No example got worse or better." if not any(totals.values()) else "The answers were not kept."
        return _head("Examples", "") + f'<p class="none">{said}</p>'
    first = have[0]
    titles: dict[Outcome, str] = {
        "worse": "Examples that got worse",
        "better": "No example got worse",
        "tied": "No example changed",
    }
    controls = "".join(
        f'<input type="radio" name="seg" id="seg-{outcome}"{" checked" if outcome == first else ""}>'
        f'<label for="seg-{outcome}">{outcome} <b>{totals[outcome]:,}</b></label>'
        for outcome in have
    )
    groups = "".join(
        f'<div class="group {outcome}"><p class="fine">{_counted(len(shown[outcome]), totals[outcome], outcome)}</p>'
        f"{''.join(shown[outcome])}</div>"
        for outcome in have
    )
    hint = "Grey: in both answers. Underlined: in this one only. Boxed: the last place of what the scorer read."
    return (
        _head(titles[first] if first == "worse" or not totals["worse"] else "Examples", hint)
        + f'<div class="segments" role="group" aria-label="Which examples">{controls}{groups}</div>'
    )


def _head(title: str, hint: str) -> str:
    fine = f'<p class="fine">{hint}</p>' if hint else ""
    return f'<div class="h"><h2>{title}</h2>{fine}</div>'


def _totals(verdict: Verdict, evidence: Evidence) -> dict[Outcome, int]:
    """How many examples there are of each kind, however many are shown."""
    shown = {outcome: sum(pair.outcome == outcome for pair in evidence.pairs) for outcome in OUTCOMES}
    primary = next((c for c in verdict.comparisons if c.metric == verdict.rule.metric), None)
    counts = (primary.losses, primary.wins, primary.ties) if primary else (0, 0, 0)
    return {outcome: max(count, shown[outcome]) for outcome, count in zip(OUTCOMES, counts, strict=True)}


def _counted(shown: int, total: int, outcome: Outcome) -> str:
    if shown >= total:
        return f"All {total:,}." if total > 1 else ""
    first = {"worse": ", worst first", "better": "", "tied": ""}[outcome]
    rest = "" if outcome == "tied" else "; the JSON has all ids"
    return f"{shown:,} of {total:,} are here{first}{rest}."


def _render(verdict: Verdict, evidence: Evidence) -> dict[Outcome, list[str]]:
    found: dict[Outcome, list[str]] = {outcome: [] for outcome in OUTCOMES}
    left = LARGEST
    for outcome in OUTCOMES:
        for pair in [pair for pair in evidence.pairs if pair.outcome == outcome][: MOST[outcome]]:
            drawn = _pair(verdict, pair, opened=len(found[outcome]) < OPEN)
            left -= len(drawn.encode())
            if left < 0:
                return found
            found[outcome].append(drawn)
    return found


def _pair(verdict: Verdict, pair: Pair, *, opened: bool) -> str:
    parted = compare(revealed(pair.baseline.output), revealed(pair.candidate.output))
    question = sides.question(pair.inputs)
    facts = [f"reference <b>{_short(pair.reference, 60)}</b>"] if pair.reference is not None else []
    facts += [escape(cut(revealed(f"{name}: {value}"), 60)) for name, value in pair.slices.items()]
    summary = (
        f"<summary><code>#{_one_line(pair.example_id, 40)}</code> <bdi>{_one_line(question, 110)}</bdi>"
        f"{''.join(f' <span class=mut>· {fact}</span>' for fact in facts)}</summary>"
    )
    asked = ""
    if len(question) > 110 or "\n" in question:
        asked = f'<div class="asked txt" dir="auto">{_cut_text(revealed(question), MOST_INPUT)}</div>'
    low = ""
    if "apart" not in {piece.kind for piece in parted.before + parted.after} and parted.agreement < 1:
        low = f'<p class="fine">{100 * parted.agreement:.0f} % of the words are common: too unlike to mark.</p>'
    both = "".join(
        _side(name, side, place, pieces, chopped)
        for place, (name, side, pieces, chopped) in enumerate(
            (
                (verdict.baseline.name, pair.baseline, parted.before, parted.cut_before),
                (verdict.candidate.name, pair.candidate, parted.after, parted.cut_after),
            )
        )
    )
    start = f'<details class="case"{" open" if opened else ""}>'
    return f'{start}{summary}{asked}<div class="pair">{both}</div>{low}</details>'


def _side(name: str, side: Side, place: int, pieces: Sequence[Piece], chopped: int) -> str:
    fine = sides.numbers(side)
    who = (
        f'<div class="who">{mark(place)}<b>{escape(cut(stripped(name), 40))}</b>{_outcome(side)}'
        f'<span class="fine">{escape(fine)}</span></div>'
    )
    note = f'<p class="fine">{escape(cut(revealed(side.note), 200))}</p>' if side.note else ""
    if side.error is not None:
        return f'<div>{who}<p class="txt bad">error: {escape(cut(revealed(side.error), 400))}</p></div>'
    if not pieces:
        return f'<div>{who}<p class="txt none">an empty answer</p>{note}</div>'
    body = "".join(_piece(piece, side) for piece in sides.marked(pieces, side.label))
    more = f'<p class="fine">{chopped:,} more characters are cut.</p>' if chopped else ""
    return f'<div>{who}<div class="txt" dir="auto">{body}</div>{more}{note}</div>'


def _outcome(side: Side) -> str:
    look, words = sides.outcome(side)
    drawn = "" if look == "plain" else f"{state(look)} "
    return f'<span class="{"mut" if look == "plain" else STATES[look]}">{drawn}{escape(words)}</span>'


def _piece(marked: tuple[Piece, tuple[int, int] | None], side: Side) -> str:
    piece, place = marked
    if place is None:
        text = escape(piece.text)
    else:
        start, stop = place
        text = f"{escape(piece.text[:start])}<mark>{escape(piece.text[start:stop])}</mark>{escape(piece.text[stop:])}"
    if piece.folded:
        words = figures.counted(word_count(piece.text), "word")
        text = f"<details class=fold><summary>… {words}</summary>{text}</details>"
    if piece.kind == "same":
        return f"<span class=same>{text}</span>"
    if piece.kind == "apart":
        # The space before a word is outside, so that the line under it starts where the word does.
        space = text[: len(text) - len(text.lstrip())]
        return f"{space}<ins class={'r' if side.value == 1 else 'w'}>{text.lstrip()}</ins>"
    return text


def _one_line(text: str, width: int) -> str:
    return escape(cut(" ".join(revealed(text).split()), width))


def _short(value: Json, width: int) -> str:
    return f"<bdi>{_one_line(sides.plain(value), width)}</bdi>"


def _cut_text(text: str, most: int) -> str:
    if len(text) <= most:
        return escape(text)
    return f'{escape(text[:most])}… <span class="mut">{len(text) - most:,} more characters</span>'
