"""The box score on a terminal: 80 columns, right without colour and in a log file."""

from collections.abc import Iterator, Sequence

from boxscore import figures
from boxscore.experiments.report.fineprint import facts, level
from boxscore.experiments.report.rows import ERRORS, TOKENS_IN, TOKENS_OUT, Look, Row, rows
from boxscore.experiments.report.score import Cell, Column, columns, variants
from boxscore.experiments.report.words import headline
from boxscore.experiments.verdict import Decision, SliceComparison, Verdict
from boxscore.figures import Unit
from boxscore.text import cells, cut, left, middle_cut, right, stripped, wrapped

NARROWEST, WIDEST = 60, 140
LEAD = 11
"""Columns of the verdict's word, which the headline hangs from."""

EXITS: dict[Decision, int] = {"ship": 0, "reject": 1, "undecided": 3}
MARKS: dict[Look, str] = {"better": "●", "worse": "◆", "unclear": "○", "same": "○", "plain": "┼"}
# Blue and orange that are told apart by the colour-blind and read on black and on white.
BLUE, ORANGE, BOLD, RESET = "\x1b[38;5;32m", "\x1b[38;5;166m", "\x1b[1m", "\x1b[0m"
OPTIONAL_ORDER = (TOKENS_OUT, TOKENS_IN, ERRORS)
"""Columns that explain and decide nothing; the last go first where there is no room."""

MOST_SLICES, MOST_ALSO = 5, 3


def terminal(verdict: Verdict, *, width: int = 80, colour: bool = False) -> str:
    """The box score as lines of at most `width` columns (60 to 140; a value outside is brought inside).

    With `colour` the words and marks of a state carry ANSI colours and nothing else changes. Control sequences in
    names and texts are stripped. Ends without a line break.
    """
    return "\n".join(line.rstrip() for line in _Box(verdict, max(NARROWEST, min(width, WIDEST)), colour).lines())


class _Box:
    def __init__(self, verdict: Verdict, width: int, colour: bool) -> None:
        self.verdict = verdict
        self.width = width
        self.colour = colour
        self.rows = rows(verdict)
        self.thick, self.thin = "━" * width, "─" * width

    def lines(self) -> Iterator[str]:
        yield self.title()
        yield self.thick
        yield from self.says()
        yield self.thin
        yield from self.line_score()
        if self.rows:
            yield self.thin
            yield from self.differences()
        hurts = list(self.hurts())
        if hurts:
            yield self.thin
            yield from hurts
        yield self.thin
        yield from wrapped(" ".join(facts(self.verdict)), self.width)
        yield self.thick
        yield self.foot()

    # -- parts, from the top down ----------------------------------------------------------------------------------

    def title(self) -> str:
        data = self.verdict.dataset
        size = figures.counted(data.examples, "example")
        if data.total > data.examples:
            size = f"{data.examples:,} of {data.total:,} examples"
        if data.clusters and data.clusters != data.examples:
            size += f" in {figures.counted(data.clusters, 'cluster')}"
        end = f"{size}, paired" + (f"  {stripped(self.verdict.id)}" if self.verdict.id else "")
        name = stripped(data.name) + (f"@{stripped(data.version)[:12]}" if data.version else "")
        room = self.width - cells(end) - 2
        return left(middle_cut(name, room), room) + "  " + cut(end, self.width)

    def says(self) -> Iterator[str]:
        word = self.verdict.verdict.upper()
        lines = wrapped(headline(self.verdict), self.width - LEAD)
        for at, line in enumerate(lines):
            yield (self.state(left(word, LEAD), self.verdict.verdict) if at == 0 else " " * LEAD) + line
        for mark, texts in (("! ", self.verdict.warnings), ("- ", self.verdict.notes[:2])):
            for text in texts:
                for at, line in enumerate(wrapped(stripped(text), self.width - LEAD - 2)):
                    yield " " * LEAD + (mark if at == 0 else "  ") + line

    def line_score(self) -> Iterator[str]:
        shown = variants(self.verdict)[: 2 + MOST_ALSO]
        names = [stripped(variant.name) or "-" for variant in shown]
        wanted = max(cells(name) for name in names)
        all_columns = columns(self.verdict)
        least = min(wanted, max(18, self.width // 4))
        for number, block in enumerate(_blocks(all_columns, len(shown), self.width - least)):
            widths = [_width(column, len(shown)) for column in block]
            room = self.width - sum(widths) - len(widths)
            lead = room if room <= wanted + 4 else wanted + 4
            # What is left over is shared among the columns, so that they spread over the line.
            spare = (room - lead) // len(block)
            widths = [width + min(spare, 4) for width in widths]
            lead = self.width - sum(widths) - len(widths)
            if number:
                yield ""
            yield " " * lead + "".join(right(column.short, w) + " " for column, w in zip(block, widths, strict=True))
            if any(column.calibration for column in block):
                said = zip(block, widths, strict=True)
                yield " " * lead + "".join(right(column.calibration, w) + " " for column, w in said)
            for at, name in enumerate(names):
                yield left(middle_cut(name, lead - 1), lead) + "".join(
                    right(_value(column.cells[at]), w) + ("*" if column.best == at else " ")
                    for column, w in zip(block, widths, strict=True)
                )
                if at < 2 and any(column.cells[at].ends for column in block):
                    yield " " * lead + "".join(
                        right(_ends(column.cells[at]), w) + " " for column, w in zip(block, widths, strict=True)
                    )

    def differences(self) -> Iterator[str]:
        extra = self.width - 80
        label = 14 + (extra // 4 if extra > 0 else 0)
        plot = self.width - label - 43
        plot -= 1 - plot % 2
        label = self.width - plot - 43
        head = left("differences", label) + left("◂ worse", plot // 2) + right("better ▸", plot - plot // 2)
        interval = f"{level(self.verdict)} % interval"
        yield head + right("", 9) + right(interval, 15) + " " + left("asked", 10) + "shown"
        for row in self.rows:
            drawn = _plot(row, plot)
            word = _word(row, self.verdict)
            name = {"cost": "$ per 1,000", "p50 latency": f"p50{row.unit.after}", "p95 latency": f"p95{row.unit.after}"}
            text = left(middle_cut(name.get(row.label, row.label), label - 1), label)
            numbers = right(_ascii(row.unit.signed(row.difference)), 9) + right(_span(row.unit, row.low, row.high), 15)
            mark = MARKS[row.look]
            yield (
                text
                + drawn.replace(mark, self.shown(mark, row.look))
                + numbers
                + " "
                + left(row.short, 10)
                + self.shown(cut(word, 8), row.look)
            )
            if row.calibration:
                yield f"  {row.calibration}"

    def hurts(self) -> Iterator[str]:
        comparison = next((c for c in self.verdict.comparisons if c.metric == self.verdict.rule.metric), None)
        worst = [slice_ for slice_ in self.verdict.slices if slice_.shown == "worse"]
        if comparison is None or not (self.verdict.slices or comparison.losses):
            return
        room = self.width - 37
        head = left("where it hurts", room)
        if worst:
            head += right("n", 6) + right("before", 7) + right("after", 7) + right("diff", 8) + right("95 %", 7)
        yield head
        for slice_ in worst[:MOST_SLICES]:
            yield self._slice(slice_, room)
        if len(worst) > MOST_SLICES:
            yield f"  and {figures.counted(len(worst) - MOST_SLICES, 'more slice')} shown worse"
        elif not worst and self.verdict.slices:
            yield f"  no slice is shown worse; {figures.counted(len(self.verdict.slices), 'slice')} tested, Holm"
        counts = f"{figures.counted(comparison.losses, 'example')} got worse"
        counts += f", {comparison.wins:,} better, {comparison.ties:,} tied"
        yield cut("  " + counts + self._ids(self.width - len(counts) - 2), self.width)

    def _ids(self, room: int) -> str:
        """`: 526, 503, …` as far as there is room."""
        text = ""
        names = [stripped(name) for name in self.verdict.regressions]
        for at, name in enumerate(names):
            longer = f"{text}, {name}" if at else f": {name}"
            if cells(longer) > room - (3 if at + 1 < len(names) else 0):
                return f"{text}, …" if text else ""
            text = longer
        return text

    def _slice(self, slice_: SliceComparison, room: int) -> str:
        unit = self.rows[0].unit
        half = max(slice_.high - slice_.difference, slice_.difference - slice_.low)
        return (
            left("  " + middle_cut(f"{stripped(slice_.slice)}: {stripped(slice_.value)}", room - 3), room)
            + right(f"{slice_.examples:,}", 6)
            + right(_ascii(unit.number(slice_.baseline)), 7)
            + right(_ascii(unit.number(slice_.candidate)), 7)
            + right(_ascii(unit.signed(slice_.difference)), 8)
            + right(f"±{unit.number(half)}", 7)
            + " "
            + self.shown(MARKS[slice_.shown], slice_.shown)
        )

    def foot(self) -> str:
        decision = self.verdict.verdict
        start = f"exit {EXITS[decision]}  "
        rest = ""
        more = len(self.verdict.also_run) - MOST_ALSO
        if more > 0:
            rest = f"   {figures.counted(more, 'more variant')} in --json and in the report"
        return start + self.state(decision, decision) + cut(rest, self.width - len(start) - len(decision))

    # -- colour ----------------------------------------------------------------------------------------------------

    def state(self, text: str, decision: Decision) -> str:
        return self._paint(text, {"ship": BLUE, "reject": ORANGE, "undecided": ""}[decision] + BOLD)

    def shown(self, text: str, look: Look) -> str:
        return self._paint(text, {"better": BLUE, "worse": ORANGE}.get(look, ""))

    def _paint(self, text: str, code: str) -> str:
        """Spaces at the end stay outside, so that stripping them from a line is the same with and without colour."""
        body = text.rstrip()
        return f"{code}{body}{RESET}{text[len(body) :]}" if self.colour and code and body else text


def _blocks(all_columns: Sequence[Column], variants: int, room: int) -> list[list[Column]]:
    """Columns packed into lines of `room`. What is optional fills the last line and is left out where it is full."""
    blocks: list[list[Column]] = [[]]
    used = 0
    for column in (column for column in all_columns if not column.optional):
        width = _width(column, variants) + 1
        if used + width > room and blocks[-1]:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += width
    spare = [column for column in all_columns if column.optional]
    for column in sorted(spare, key=lambda column: OPTIONAL_ORDER.index(column.key)):
        width = _width(column, variants) + 1
        if used + width <= room:
            blocks[-1].append(column)
            used += width
    return [sorted(block, key=all_columns.index) for block in blocks if block]


def _width(column: Column, rows: int) -> int:
    texts = [text for cell in column.cells[:rows] for text in (_value(cell), _ends(cell))]
    return max(min(cells(column.short), 16), 8, cells(column.calibration), *(cells(text) for text in texts))


def _value(cell: Cell) -> str:
    return "not rec." if cell.value is None else _ascii(cell.text)


def _ends(cell: Cell) -> str:
    if cell.ends is None:
        return cell.note
    low, high = (_brief(cell.unit, end) for end in cell.ends)
    return f"{low}-{high}" if not low.startswith("-") and not high.startswith("-") else f"{low}..{high}"


def _brief(unit: Unit, value: float) -> str:
    """At most four digits: `46.5`, `13.2`, `219`, `1905`."""
    text = _ascii(unit.number(value)).replace(",", "")
    while len(text) > 4 and "." in text and not text.lstrip("-").startswith("0."):
        text = text[:-1].rstrip(".") if len(text.split(".")[1]) == 1 else _shorter(unit, value, text)
    return text


def _shorter(unit: Unit, value: float, text: str) -> str:
    decimals = len(text.split(".")[1]) - 1
    return f"{value * unit.factor:.{decimals}f}"


def _span(unit: Unit, low: float | None, high: float | None) -> str:
    """`30.1..38.7`, `-5.6..+9.0`: both ends, with signs where one is negative; in 14 columns."""
    if low is None or high is None:
        return "no interval"
    for decimals in range(unit.decimals, -1, -1):
        fewer = Unit(unit.factor, decimals)
        ends = [fewer.signed(end) if low < 0 else fewer.number(end) for end in (low, high)]
        text = _ascii("..".join(ends))
        if len(text) <= 14:
            return text
    return f"{low * unit.factor:.1e}..{high * unit.factor:.1e}"


def _plot(row: Row, width: int) -> str:
    """The interval around a zero line. Dots, and a double line under the interval: inside the margin or the guard."""
    canvas = [" "] * width

    def at(value: float) -> int:
        return round(row.place(value) * (width - 1))

    middle = width // 2
    inside: set[int] = set()
    if row.band:
        ends = sorted(at(end) for end in row.band)
        inside = set(range(ends[0], ends[1] + 1))
        for cell in inside:
            canvas[cell] = "·"
    canvas[middle] = "┊"
    point = at(row.difference)
    if row.low is not None and row.high is not None:
        ends = sorted((row.place(row.low), row.place(row.high)))
        place = row.place(row.difference)
        # From the point outwards, so that an even interval looks even; a whisker needs most of half a cell.
        start = max(0, point - int((place - ends[0]) * (width - 1) + 0.6))
        end = min(width - 1, point + int((ends[1] - place) * (width - 1) + 0.6))
        for cell in range(start, end + 1):
            canvas[cell] = "═" if cell in inside else "─"
        if start < point:
            canvas[start] = "├"
        if end > point:
            canvas[end] = "┤"
    canvas[point] = MARKS[row.look]
    return "".join(canvas)


def _word(row: Row, verdict: Verdict) -> str:
    """What was shown; in capitals where it stands between the change and a ship."""
    if row.role == "guard" and row.holds is not None:
        if row.holds == "ship":
            return {"better": "better", "worse": "worse,ok"}.get(row.shown, "ok")
        return (
            "BROKEN" if row.holds == "reject" and row.shown != "worse" else {"reject": "WORSE"}.get(row.holds, "OPEN")
        )
    if row.role == "primary" and verdict.verdict != "ship" and row.shown in ("worse", "unclear"):
        return row.shown.upper()
    return row.word if row.look == "plain" else row.shown


def _ascii(text: str) -> str:
    """A hyphen for the minus sign: in a terminal numbers are copied."""
    return text.replace("−", "-")
