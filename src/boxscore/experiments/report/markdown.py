"""The box score as Markdown: a comment on a pull request, a job's summary, a note on a merge request.

What a model, a dataset or a user wrote is hostile here: it would be read as markup, load a picture, ping a team, close
an issue. Names and sentences are escaped, and answers stand in fences that are longer than any inside them. The grammar
is CommonMark 0.31 with GitHub's tables; https://github.github.com/gfm and GitLab's documentation name what those two
make of plain text besides (mentions, references, bare links, mathematics, quick actions).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from boxscore import figures
from boxscore.experiments.report import fineprint
from boxscore.experiments.report.rows import COST, GUARD_WORDS, Row, rows
from boxscore.experiments.report.score import Cell, columns
from boxscore.experiments.report.words import headline, phrases
from boxscore.experiments.verdict import Evidence, Pair, Shown, Side, SliceComparison, Verdict
from boxscore.figures import Unit
from boxscore.text import cut, middle_cut, revealed, stripped
from boxscore.types import Json

MARKER = "<!-- boxscore -->"
"""The first line, which nobody sees: by it CI finds the comment that it wrote before and writes over it."""

LONGEST = 60_000
"""Bytes of a comment. GitHub takes 65,536 characters, and CI adds a line of its own."""

MOST_ROWS, MOST_SLICES, MOST_PAIRS, MOST_SAID = 30, 8, 5, 8
LONGEST_NAME, LONGEST_SENTENCE = 60, 600
LONGEST_INPUT, LONGEST_ANSWER = 400, 1_200

MARKS: dict[str, str] = {"better": "●", "worse": "◆", "unclear": "○", "same": "○", "plain": "·"}

# A word joiner, which nobody sees, keeps these from being a mention, a reference, a label or a bare link.
_JOINER = "\u2060"
_SPEAKING = re.compile(r"@(?=\S)|[#!%&~^](?=[\w\"'])|(?<=gh)-(?=\d)|(?<=www)(?=\.)|[:/](?=/)", re.IGNORECASE)
_LONG_RUN = re.compile("`{64}(?=`)")  # GitHub's parser counts a fence to 255 and forgets the rest
_MARKUP = re.compile(r"[\\`*_\[\]|~]")
_OPENING = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=#]))(.)(?=[-=#\s]|$)")  # a list, a heading or a rule at a line's start
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})


def markdown(found: Sequence[tuple[Verdict, Evidence]], *, most: int = LONGEST) -> str:
    """The box scores of verdicts, at most about `most` bytes of UTF-8: where it is too much, answers go first.

    The verdict and its reason are the first line that is seen. Ends with a line break.
    """
    room = most // max(1, len(found))
    return (
        "\n\n".join([MARKER, "\n\n---\n\n".join(_comment(verdict, evidence, room) for verdict, evidence in found)])
        + "\n"
    )


def plain(text: str, most: int = LONGEST_SENTENCE) -> str:
    """Text of anybody on one line of Markdown that says what it says, and nothing else."""
    text = _SPEAKING.sub(_silenced, cut(stripped(text), most))
    text = _MARKUP.sub(lambda match: "\\" + match[0], text)
    return _OPENING.sub(r"\1\\\2", text).translate(_ENTITIES)


def _silenced(match: re.Match[str]) -> str:
    return f"{_JOINER if match[0] == '@' else ''}{match[0]}{_JOINER}"


def fenced(text: str, most: int) -> str:
    """Text of anybody as a block of its own, at most `most` characters of it, with what hides made visible."""
    text = revealed(text)
    more = f"\n… {len(text) - most:,} more characters" if len(text) > most else ""
    text = _LONG_RUN.sub(r"\g<0>" + _JOINER, text[:most].rstrip("\n")) + more
    # A slash at the start of a line is a command to GitLab, by some versions even in a fence.
    text = re.sub(r"^/", " /", text, flags=re.MULTILINE)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _comment(verdict: Verdict, evidence: Evidence, room: int) -> str:
    parts = [_says(verdict), _table(verdict)]
    room -= sum(map(_size, parts))
    optional = [_points(verdict), _slices(verdict), _fine_print(verdict)]
    for at, part in enumerate(optional):
        fits = _size(part) <= room
        optional[at] = part if fits else ""
        room -= _size(part) if fits else 0
    points, slices, fine = optional
    parts += [points, slices, _pairs(verdict, evidence, room), fine, _foot(verdict)]
    return "\n\n".join(part for part in parts if part)


def _size(text: str) -> int:
    return len(text.encode()) + 2


def _says(verdict: Verdict) -> str:
    said = "".join(f"<b>{plain(p.text)}</b>" if p.strong else _between(p.text) for p in phrases(verdict))
    if verdict.reason and verdict.reason != headline(verdict):
        said = plain(verdict.reason)
    return f"<b>{verdict.verdict.upper()}</b> &nbsp;{said}"


def _between(text: str) -> str:
    """A piece of a sentence keeps the spaces at its ends."""
    inner = plain(text)
    return (
        " " * (len(text) - len(text.lstrip())) + inner + " " * (bool(text.strip()) and len(text) - len(text.rstrip()))
    )


def _name(text: str) -> str:
    return plain(middle_cut(stripped(text), LONGEST_NAME)) or "unnamed"


# The box score


def _table(verdict: Verdict) -> str:
    drawn = rows(verdict)
    values = {column.key: column.cells for column in columns(verdict)}
    lines = [
        f"| | {_name(verdict.baseline.name)} | {_name(verdict.candidate.name)} | difference | | asked |",
        "|:--|--:|--:|:--|:--|:--|",
    ]
    for row in drawn[:MOST_ROWS]:
        before, after = (_cell(cell) for cell in values.get(row.key, ())[:2]) if row.key in values else ("", "")
        label = _together(_name("cost per 1,000" if row.key == COST else row.label))
        label = f"<b>{label}</b>" if row.role == "primary" else label
        label += f" ({plain(row.calibration)})" if row.calibration else ""
        difference = plain(_difference(row.unit, row.difference, row.low, row.high))
        asked = plain(row.asked) + (f" ({GUARD_WORDS[row.holds]})" if row.holds is not None else "")
        lines.append(
            f"| {label} | {before} | {after} | {difference} | {_together(f'{MARKS[row.look]} {row.word}')} | {asked} |"
        )
    if len(drawn) > MOST_ROWS:
        lines.append(f"| {len(drawn) - MOST_ROWS} more are in the report | | | | | |")
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    return "" if cell.value is None else _together(plain(f"{cell.unit.before}{cell.text}{cell.unit.after}"))


def _difference(unit: Unit, difference: float, low: float | None, high: float | None) -> str:
    ends = "no interval" if low is None or high is None else unit.range(low, high)
    return f"{_together(unit.signed_full(difference))} ({_together(ends)})"


def _together(text: str) -> str:
    """With spaces at which a narrow table does not break."""
    return text.replace(" ", "\u00a0")


def _points(verdict: Verdict) -> str:
    """What a reader must know before believing it, and what was found beside."""
    said = [f"- <b>!</b> {plain(text)}" for text in verdict.warnings] + [f"- {plain(text)}" for text in verdict.notes]
    more = [f"- … {len(said) - MOST_SAID} more are in the report"] if len(said) > MOST_SAID else []
    return "\n".join(said[:MOST_SAID] + more)


def _slices(verdict: Verdict) -> str:
    """Only those in which something is shown, worse ones first."""
    primary = next((row for row in rows(verdict) if row.role == "primary"), None)
    order: dict[Shown, int] = {"worse": 0, "better": 1}
    shown = sorted((part for part in verdict.slices if part.shown in order), key=lambda part: order[part.shown])
    if primary is None or not shown:
        return ""
    head = ["| slice | examples | before | after | difference | |", "|:--|--:|--:|--:|:--|:--|"]
    lines = [_slice(part, primary) for part in shown[:MOST_SLICES]]
    if len(shown) > MOST_SLICES:
        lines.append(f"| {len(shown) - MOST_SLICES} more are in the report | | | | | |")
    return "\n".join(head + lines)


def _slice(part: SliceComparison, primary: Row) -> str:
    own = figures.percent([]) if primary.unit.after == " points" else primary.unit
    before, after = (plain(f"{own.before}{own.number(value)}{own.after}") for value in (part.baseline, part.candidate))
    difference = plain(_difference(primary.unit, part.difference, part.low, part.high))
    name = f"{_name(part.slice)}: {_name(part.value)}"
    return f"| {name} | {part.examples:,} | {before} | {after} | {difference} | {MARKS[part.shown]} {part.shown} |"


# Answers side by side


def _pairs(verdict: Verdict, evidence: Evidence, room: int) -> str:
    worse, better = len(verdict.regressions), len(verdict.improvements)
    if not worse:
        return f"No example got worse, {better:,} better, {verdict.tied:,} as before."
    head = f"{figures.counted(worse, 'example')} got worse, {better:,} better, {verdict.tied:,} as before"
    drawn: list[str] = []
    room -= _size(head) + 200
    for pair in [pair for pair in evidence.pairs if pair.outcome == "worse"][:MOST_PAIRS]:
        text = _pair(verdict, pair)
        room -= _size(text)
        if room < 0:
            break
        drawn.append(text)
    if not drawn:
        return head + "."
    where = f"The worst {len(drawn)} of {worse:,}; the report has more." if worse > len(drawn) else ""
    return _folded(head, [where, *drawn])


def _pair(verdict: Verdict, pair: Pair) -> str:
    facts = [f"#{_JOINER}{plain(pair.example_id, LONGEST_NAME)}"]
    facts += [f"{_name(name)}: {_name(value)}" for name, value in list(pair.slices.items())[:3]]
    if pair.reference is not None:
        facts.append(f"reference: {plain(_told(pair.reference), 120)}")
    parts = [f"<b>{facts[0]}</b>" + "".join(f" · {fact}" for fact in facts[1:])]
    asked = _inputs(pair.inputs)
    parts += [fenced(asked, LONGEST_INPUT)] if asked.strip() else []
    sides = (("Baseline", verdict.baseline.name, pair.baseline), ("Candidate", verdict.candidate.name, pair.candidate))
    for role, name, side in sides:  # the role first: a line never begins with a name that somebody chose
        parts.append(f"{role} {_name(name)}: {_outcome(side)}")
        text = side.output if side.error is None else f"error: {side.error}"
        parts.append(fenced(text, LONGEST_ANSWER) if text.strip() else "an empty answer")
    return "\n\n".join(parts)


def _outcome(side: Side) -> str:
    if side.value is None:
        return "not scored"
    word = {0.0: "wrong", 1.0: "right"}.get(side.value, f"{side.value:.3g}")
    return word + (f" ({plain(side.label, LONGEST_NAME)})" if side.label else "")


def _inputs(inputs: dict[str, Json]) -> str:
    if len(inputs) == 1:
        return _told(next(iter(inputs.values())))
    return "\n".join(f"{name}: {_told(value)}" for name, value in inputs.items())


def _told(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


# The end


def _fine_print(verdict: Verdict) -> str:
    entries = dict(fineprint.entries(verdict))
    command = entries.pop("reproduce", "")
    said = "\n".join(f"- {term}: {plain(text)}" for term, text in entries.items())
    return _folded("Fine print", [said, f"To reproduce:\n\n{fenced(command, 2_000)}" if command else ""])


def _foot(verdict: Verdict) -> str:
    made = verdict.provenance
    parts = [f"boxscore {made.boxscore_version}, {made.created_at}"] if made else ["boxscore"]
    parts += [f"verdict {verdict.id}"] if verdict.id else []
    return f"<sub>{plain(' · '.join(parts))}</sub>"


def _folded(head: str, parts: Iterable[str]) -> str:
    return "\n\n".join(_fold(head, parts))


def _fold(head: str, parts: Iterable[str]) -> Iterator[str]:
    yield f"<details><summary>{head}</summary>"
    yield from (part for part in parts if part)
    yield "</details>"
