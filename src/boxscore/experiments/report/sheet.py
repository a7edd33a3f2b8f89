"""The box score as data: every line of the report, worded and placed, for a page that draws it itself.

Texts are those of the report, to the letter, because they come from the same functions. Places run from 0 (left end) to
1 (right end). What came from models, files and users is plain text that was made visible, never markup.
"""

from collections.abc import Iterable, Mapping

import msgspec

from boxscore import figures
from boxscore.experiments.report import charts, fineprint
from boxscore.experiments.report.charts import Figure
from boxscore.experiments.report.closing import closing
from boxscore.experiments.report.plots import STATES, end_of
from boxscore.experiments.report.rows import Row, rows
from boxscore.experiments.report.score import Cell, Column, columns, variants
from boxscore.experiments.report.words import headline, phrases, rounded_up
from boxscore.experiments.verdict import Decision, Evidence, Verdict
from boxscore.experiments.what_if import Estimates, estimates
from boxscore.figures import Unit
from boxscore.text import revealed, stripped


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the headline; `strong` is what the eye should catch."""

    text: str
    strong: bool = False


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where a difference and its interval lie on their scale. `state` is good, bad, open or plain."""

    state: str
    at: float
    low: float | None
    high: float | None


class LineCell(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is empty where nothing was recorded; `under` is its interval, or a note."""

    value: float | None = None
    text: str = ""
    under: str = ""
    best: bool = False


class LineColumn(msgspec.Struct, frozen=True, kw_only=True):
    """`opens` a group: quality, cost, latency, tokens."""

    key: str
    title: str
    opens: bool
    calibration: str


class VariantLine(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of the line score. `role` is baseline, candidate or also run; `place` is its mark's and colour's;
    `run` is the id of its run, None where its rows are not here."""

    name: str
    model: str | None
    hash: str
    role: str
    place: int
    run: str | None
    cells: tuple[LineCell, ...]


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row around zero: right is better in every row. `ends` of its scale are printed; `band` is shaded."""

    key: str
    label: str
    per: str
    role: str
    difference: str
    interval: str
    asked: str
    outcome: str
    calibration: str
    ends: tuple[str, str]
    band: tuple[float, float] | None
    spot: Spot


class SliceLine(msgspec.Struct, frozen=True, kw_only=True):
    """The primary metric in one subset."""

    slice: str
    value: str
    examples: int
    before: str
    after: str
    difference: str
    interval: str
    wins: int
    losses: int
    shown: str
    spot: Spot


class SliceTable(msgspec.Struct, frozen=True, kw_only=True):
    """Worst first, on one scale."""

    label: str
    unit: str
    ends: tuple[str, str]
    said: str
    lines: tuple[SliceLine, ...]


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: `title` says the finding, `words` what is drawn, `svg` draws it (twice, for a wide and a narrow page);
    it is empty where there is nothing to draw."""

    title: str
    words: str
    svg: str


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What would decide. `examples` None: no number of them would; `left` are in the dataset and were not run."""

    examples: int | None
    about: int | None
    cost_usd: float | None
    price: str
    left: int
    note: str


class SettingTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that can be moved, from 0 to `end`, with the places where its verdict changes. `now` is None for a rule
    that is not the one set; `start` is where it stands before it is moved. A number of it times `factor`, with
    `decimals`, is what is shown."""

    kind: str
    now: float | None
    start: float
    end: float
    breaks: tuple[float, ...]
    factor: float
    decimals: int
    before: str
    after: str


class OtherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What other settings would decide: the estimates that all rules look at, and a track for each rule."""

    estimates: Estimates
    saving: str
    thing: str
    break_even: str
    tracks: tuple[SettingTrack, ...]


class FineLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the fine print."""

    term: str
    text: str


class PairCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Examples by what became of them."""

    worse: int
    better: int
    tied: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as a page shows it, in the order of the report. `said` is the headline in pieces."""

    id: str
    created_at: str | None
    verdict: Decision
    dataset: str
    version: str
    size: str
    spent: str
    said: tuple[Phrase, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    need: Need | None
    rule: str
    level: str
    bold: bool
    columns: tuple[LineColumn, ...]
    lines: tuple[VariantLine, ...]
    flipped: tuple[str, ...]
    differences: tuple[DifferenceLine, ...]
    closing: Drawing | None
    settings: OtherSettings | None
    frontier: Drawing
    latency: Drawing
    slices: SliceTable | None
    counts: PairCounts
    fine_print: tuple[FineLine, ...]
    command: str | None


# -- the whole page ------------------------------------------------------------------------------------------------


def sheet(verdict: Verdict, evidence: Evidence, *, runs: Mapping[str, str] | None = None) -> Sheet:
    """`runs` are ids of runs by the hash of their variant."""
    data, made = verdict.dataset, verdict.provenance
    found, all_columns = rows(verdict), columns(verdict)
    print_ = fineprint.entries(verdict)
    return Sheet(
        id=verdict.id,
        created_at=made.created_at if made else None,
        verdict=verdict.verdict,
        dataset=stripped(data.name),
        version=stripped(data.version),
        size=f"{data.examples:,} of {data.total:,} examples"
        if data.total > data.examples
        else figures.counted(data.examples, "example"),
        spent=figures.money(made.spent_usd) if made and made.spent_usd is not None else "",
        said=said(verdict),
        warnings=tuple(map(revealed, verdict.warnings)),
        notes=tuple(map(revealed, verdict.notes)),
        need=_need(verdict),
        rule=fineprint.rule_words(verdict.rule, verdict),
        level=fineprint.level(verdict),
        bold=any(column.best is not None for column in all_columns),
        columns=tuple(line_columns(all_columns)),
        lines=tuple(_lines(verdict, all_columns, runs or {})),
        flipped=tuple(row.label for row in found if row.flip),
        differences=tuple(_difference(row) for row in found),
        closing=_drawing(figure) if (figure := closing(verdict)) is not None else None,
        settings=_settings(verdict, found),
        frontier=_drawing(charts.frontier(verdict)),
        latency=_drawing(charts.latency(verdict, evidence)),
        slices=_slices(verdict, found),
        counts=_counts(verdict),
        fine_print=tuple(FineLine(term=term, text=text) for term, text in print_ if term != "reproduce"),
        command=dict(print_).get("reproduce"),
    )


def said(verdict: Verdict) -> tuple[Phrase, ...]:
    """The headline; as it was kept where it was written by other words than today's."""
    if verdict.reason and verdict.reason != headline(verdict):
        return (Phrase(text=revealed(verdict.reason)),)
    return tuple(Phrase(text=phrase.text, strong=phrase.strong) for phrase in phrases(verdict))


def _need(verdict: Verdict) -> Need | None:
    needs, data = verdict.needs, verdict.dataset
    if needs is None:
        return None
    return Need(
        examples=needs.examples,
        about=None if needs.examples is None else rounded_up(needs.examples),
        cost_usd=needs.cost_usd,
        price="" if needs.cost_usd is None else figures.money(needs.cost_usd),
        left=max(0, data.total - data.examples),
        note=stripped(needs.note),
    )


def line_columns(found: list[Column]) -> Iterable[LineColumn]:
    for at, column in enumerate(found):
        opens = at > 0 and column.group != found[at - 1].group
        yield LineColumn(key=column.key, title=column.title, opens=opens, calibration=column.calibration)


def _lines(verdict: Verdict, found: list[Column], runs: Mapping[str, str]) -> Iterable[VariantLine]:
    for at, variant in enumerate(variants(verdict)):
        yield VariantLine(
            name=stripped(variant.name),
            model=None if variant.model is None else stripped(variant.model),
            hash=variant.hash,
            role=("baseline", "candidate")[at] if at < 2 else "also run",
            place=at,
            run=runs.get(variant.hash),
            cells=tuple(line_cell(column.cells[at], best=column.best == at) for column in found),
        )


def line_cell(cell: Cell, *, best: bool) -> LineCell:
    if cell.value is None:
        return LineCell()
    under = cell.note
    if cell.ends is not None:
        under = f"{cell.unit.number(cell.ends[0])} – {cell.unit.number(cell.ends[1])}"
    return LineCell(value=cell.value, text=cell.text, under=under, best=best)


def _difference(row: Row) -> DifferenceLine:
    bound = row.bound()
    ends = (bound, -bound) if row.flip else (-bound, bound)
    state = row.look if row.holds in (None, "ship") else row.holds
    band = None
    if row.band is not None:
        first, last = sorted(row.place(edge) for edge in row.band)
        band = (first, last)
    return DifferenceLine(
        key=row.key,
        label=row.label,
        per="per 1,000" if row.label == "cost" else "",
        role=row.role,
        difference=row.unit.signed_full(row.difference),
        interval=row.unit.range(row.low, row.high) if row.low is not None and row.high is not None else "no interval",
        asked=row.asked or "nothing",
        outcome=row.outcome,
        calibration=row.calibration,
        ends=(end_of(row, ends[0]), end_of(row, ends[1])),
        band=band,
        spot=_spot(STATES[state], row, row.difference, row.low, row.high),
    )


def _spot(state: str, row: Row, at: float, low: float | None, high: float | None) -> Spot:
    ends = sorted(row.place(end) for end in figures.known(low, high))
    first, last = (ends[0], ends[-1]) if len(ends) == 2 else (None, None)
    return Spot(state=state, at=row.place(at), low=first, high=last)


def _drawing(figure: Figure) -> Drawing:
    return Drawing(title=figure.title, words=figure.words, svg=figure.svg)


def _slices(verdict: Verdict, found: list[Row]) -> SliceTable | None:
    primary = next((row for row in found if row.role == "primary"), None)
    if not verdict.slices or primary is None:
        return None
    ordered = sorted(verdict.slices, key=lambda part: (-1 if primary.flip else 1) * part.difference)
    unit = primary.unit
    reach = max(abs(end) for part in ordered for end in (part.low, part.high))
    bound = figures.nice_bound(reach * unit.factor) / unit.factor

    def place(value: float) -> float:
        share = value / bound
        return min(1.0, max(0.0, 0.5 + (-share if primary.flip else share) / 2))

    def spot(state: str, at: float, low: float, high: float) -> Spot:
        first, last = sorted((place(low), place(high)))
        return Spot(state=state, at=place(at), low=first, high=last)

    worse = sum(part.shown == "worse" for part in ordered)
    ends = (end_of(primary, -bound), end_of(primary, bound))
    return SliceTable(
        label=primary.label,
        unit=unit.after.strip(),
        ends=(ends[1], ends[0]) if primary.flip else ends,
        said=f"{figures.counted(worse, 'slice')} shown worse" if worse else "no slice is shown worse",
        lines=tuple(
            SliceLine(
                slice=stripped(part.slice),
                value=stripped(part.value),
                examples=part.examples,
                before=unit.number(part.baseline),
                after=unit.number(part.candidate),
                difference=unit.signed(part.difference),
                interval=unit.range(part.low, part.high),
                wins=part.wins,
                losses=part.losses,
                shown="not shown" if part.shown == "unclear" else part.shown,
                spot=spot(STATES[part.shown], part.difference, part.low, part.high),
            )
            for part in ordered
        ),
    )


def _counts(verdict: Verdict) -> PairCounts:
    return PairCounts(worse=len(verdict.regressions), better=len(verdict.improvements), tied=verdict.tied)


# -- what other settings would decide ------------------------------------------------------------------------------


def _settings(verdict: Verdict, found: list[Row]) -> OtherSettings | None:
    primary = next((row for row in found if row.role == "primary"), None)
    if primary is None or primary.low is None or primary.high is None:
        return None
    held = estimates(verdict)
    low, high = held.low or 0.0, held.high or 0.0
    rule, unit = verdict.rule, primary.unit
    reach = max(abs(low), abs(high)) * 1.25
    margin = rule.margin or None if rule.kind != "value" else None
    tracks = [
        _track("superiority", rule.margin if rule.kind == "superiority" else None, reach, (low, high), unit, margin),
        _track(
            "noninferiority", rule.margin if rule.kind == "noninferiority" else None, reach, (-high, -low), unit, margin
        ),
    ]
    thing = "right answer" if unit.factor == 100 and not primary.flip else "success"
    cost = verdict.cost
    if held.benefit is not None and cost is not None:
        now = rule.usd_per_success if rule.kind == "value" else None
        known = figures.known(cost.per_extra_success_low, cost.per_extra_success_high)
        ends = tuple(end for end in known if end > 0)
        reach = max(*ends, abs(cost.per_extra_success_usd or 0.0)) * 1.6 if ends else (now or 0.01) * 2
        likely = cost.per_extra_success_high
        start = now if now is not None else likely and 1.15 * likely
        tracks.append(_track("value", now, reach, ends, _price_unit(reach), start))
    return OtherSettings(
        estimates=held,
        saving=_saving(found),
        thing=thing,
        break_even=_break_even(verdict),
        tracks=tuple(tracks),
    )


def _track(
    kind: str, now: float | None, reach: float, breaks: tuple[float, ...], unit: Unit, start: float | None = None
) -> SettingTrack:
    end = figures.nice_bound(max(reach, (start or now or 0.0) * 1.2, 1e-9) * unit.factor) / unit.factor
    if kind != "value" and unit.factor == 100:
        end = min(end, 1.0)  # rates do not differ by more
    inside = tuple(sorted(place for place in breaks if 0 < place < end))
    if start is None:
        start = now if now is not None else end / 10
    return SettingTrack(
        kind=kind,
        now=now,
        start=start,
        end=end,
        breaks=inside,
        factor=unit.factor,
        decimals=unit.decimals,
        before=unit.before,
        after=unit.after,
    )


def _price_unit(reach: float) -> Unit:
    """Cents below a dollar, two significant digits."""
    if reach >= 1:
        return figures.dollars([reach])
    shown = 100 * reach
    decimals = 1
    while shown < 10 and decimals < 6:
        shown, decimals = shown * 10, decimals + 1
    return Unit(100.0, decimals, "", " cents")


def _saving(found: list[Row]) -> str:
    """What was saved, in words."""
    said: list[str] = []
    for row in found:
        if row.key in ("cost_per_1k_usd", "latency_p50_s"):
            said.append(f"{row.label} {row.unit.signed_full(row.difference)}, {row.word}")
    return "; ".join(said) or "neither dollars nor latency were recorded"


def _break_even(verdict: Verdict) -> str:
    price = verdict.cost.per_extra_success_usd if verdict.cost else None
    return figures.coins(price) if price is not None and price > 0 else ""
