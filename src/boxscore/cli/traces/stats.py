"""`boxscore traces stats`: how many, how slow, how dear, and how that went over time."""

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import cast, get_args

import click
import msgspec

from boxscore.cli.times import moment
from boxscore.cli.traces.asking import PROJECT, filters, opened
from boxscore.cli.traces.ink import Ink, terminal_width
from boxscore.cli.traces.output import nothing_found, print_json
from boxscore.cli.traces.words import absolute, ago, counted, share, short, took, usd
from boxscore.errors import UsageError
from boxscore.store.spans import Condition, Filter, SpanReader, parse_condition
from boxscore.store.spans.measures import TIMES, Group, Key, Measure, parse_measure
from boxscore.store.spans.store import SeriesBy
from boxscore.text import cells, left, middle_cut, right, stripped, wrapped

MINUTE_NS = 60 * 10**9
DAY_NS = 24 * 60 * MINUTE_NS
STEPS = 24
"""Columns of a trend."""
ROWS = 12
_BARS = " ▁▂▃▄▅▆▇█"
_BEGINNING_NS = 978_307_200 * 10**9
"""2001: earlier starts are clocks that were never set."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The spans that have one value of a field; the quantiles within two percent. `trend`: spans by step of time."""

    value: str | None
    spans: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    duration_p50_ns: float | None
    duration_p95_ns: float | None
    trend: Sequence[int] = ()


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by spans, the most first, and `total` over all spans; times in nanoseconds since 1970. `pending` spans were
    acknowledged and are not in it yet."""

    start_ns: int
    end_ns: int
    step_ns: int
    by: str
    total: Row
    rows: Sequence[Row]
    pending: int


@click.command(name="stats")
@filters
@click.option("--by", multiple=True, metavar="FIELD", help="Split by this field; default: model.")
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="MEASURE",
    help="Any of count, sum, avg, min, max, p50, p95 of a field, as in p95(first_token_ns); repeatable.",
)
@click.option("--limit", default=ROWS, show_default=True, type=click.IntRange(1, 1000), help="Rows of the table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")  # fmt: skip
def command(
    filter: tuple[str, ...],
    since: str | None,
    until: str | None,
    by: tuple[str, ...],
    measures: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Numbers of the last 24 hours (or --since), by model or another field.

    With --measure the table has these measures alone, by any number of fields, hour and day among them.
    """
    conditions = [parse_condition(text) for text in filter]
    now_ns = time.time_ns()
    end_ns = now_ns if until is None else moment(until, now_ns, "--until")
    start_ns = end_ns - DAY_NS if since is None else moment(since, now_ns, "--since")
    if start_ns >= end_ns:
        raise UsageError(f"there is no time between --since {since} and --until {until or 'now'}.")
    ink, width = Ink.of_terminal(), terminal_width()
    with opened() as reader:
        if measures:
            asked = [parse_measure(text) for text in measures]
            window = [*conditions, Condition("start_ns", ">=", start_ns), Condition("start_ns", "<", end_ns)]
            groups = reader.aggregate(PROJECT, asked, window, by=by, limit=limit)
            if as_json:
                print_json(list(groups))
            else:
                _print_groups(groups, asked, by, width, ink)
            return
        if len(by) > 1:
            raise UsageError("this table has one --by: with several, name what is measured: --measure count.")
        stats = _stats(reader, conditions, start_ns, end_ns, by[0] if by else "model", limit)
        if as_json:
            print_json(stats)
        elif not stats.total.spans:
            _print_nothing(reader, conditions, start_ns, end_ns)
        else:
            _print(stats, width, ink, now_ns)


def _stats(reader: SpanReader, filter: Filter, start_ns: int, end_ns: int, by: str, limit: int) -> Stats:
    if by in get_args(SeriesBy) and not filter:
        return _rolled_up(reader, start_ns, end_ns, cast(SeriesBy, by), limit)
    return _scanned(reader, filter, start_ns, end_ns, by, limit)


def _rolled_up(reader: SpanReader, start_ns: int, end_ns: int, by: SeriesBy, limit: int) -> Stats:
    """From the roll-ups, however many spans there are: in whole minutes."""
    start_ns = max(start_ns, _BEGINNING_NS) // MINUTE_NS * MINUTE_NS
    end_ns = -(-end_ns // MINUTE_NS) * MINUTE_NS
    step_ns = -(-(end_ns - start_ns) // STEPS // MINUTE_NS) * MINUTE_NS
    whole = end_ns - start_ns
    total = reader.series(PROJECT, start_ns=start_ns, end_ns=end_ns, step_ns=whole)
    rows = reader.series(PROJECT, start_ns=start_ns, end_ns=end_ns, step_ns=whole, by=by).points
    trend = reader.series(PROJECT, start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by).points
    trends: dict[str | None, list[int]] = {}
    for point in trend:
        steps = trends.setdefault(point.value, [0] * -(-whole // step_ns))
        steps[(point.start_ns - start_ns) // step_ns] += point.spans
    made = [
        Row(
            value=point.value,
            spans=point.spans,
            errors=point.errors,
            input_tokens=point.input_tokens,
            output_tokens=point.output_tokens,
            cost_usd=point.cost_usd,
            duration_p50_ns=point.duration_p50_ns,
            duration_p95_ns=point.duration_p95_ns,
            trend=trends.get(point.value, ()),
        )
        for point in [*total.points, *rows]
    ]
    found = sorted(made[len(total.points) :], key=lambda row: -row.spans)[:limit]
    sums = [sum(step) for step in zip(*trends.values(), strict=True)]
    head = msgspec.structs.replace(made[0], value=None, trend=sums) if total.points else _NOTHING
    return Stats(
        start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by, total=head, rows=found, pending=total.pending
    )


_NOTHING = Row(
    value=None, spans=0, errors=0, input_tokens=0, output_tokens=0, cost_usd=Decimal(0), duration_p50_ns=None,
    duration_p95_ns=None,
)  # fmt: skip
_MEASURES = tuple(
    parse_measure(text)
    for text in (
        *("count", "sum(input_tokens)", "sum(output_tokens)", "sum(cost_usd)"),
        *("p50(duration_ns)", "p95(duration_ns)"),
    )
)


def _scanned(reader: SpanReader, filter: Filter, start_ns: int, end_ns: int, by: str, limit: int) -> Stats:
    """From the spans themselves, where a filter or a field asks for what is not rolled up."""
    window = [*filter, Condition("start_ns", ">=", start_ns), Condition("start_ns", "<", end_ns)]
    unit, step_ns = ("hour", 60 * MINUTE_NS) if end_ns - start_ns <= 3 * DAY_NS else ("day", DAY_NS)
    failed = [*window, Condition("error", "=", True)]
    errors = {group.keys[0]: group.values[0] for group in reader.aggregate(PROJECT, _COUNT, failed, by=[by])}
    first = start_ns // step_ns * step_ns
    trends: dict[object, list[int]] = {}
    steps = -(-(end_ns - first) // step_ns)
    groups = reader.aggregate(PROJECT, _COUNT, window, by=[unit, by], limit=_MOST_GROUPS) if steps <= _STEPS else ()
    if len(groups) < _MOST_GROUPS:  # else the last of them are missing
        for group in groups:
            at, value = cast("tuple[int, str | None]", group.keys)
            trends.setdefault(value, [0] * steps)[(at - first) // step_ns] += cast(int, group.values[0])
    rows = [
        _row(group, None if group.keys[0] is None else str(group.keys[0]), errors.get(group.keys[0]),
             _squeezed(trends.get(group.keys[0], [])))
        for group in reader.aggregate(PROJECT, _MEASURES, window, by=[by], limit=limit)
    ]  # fmt: skip
    total = next(iter(reader.aggregate(PROJECT, _MEASURES, window)), None)
    everything = [sum(step) for step in zip(*trends.values(), strict=True)]
    return Stats(
        start_ns=start_ns,
        end_ns=end_ns,
        step_ns=step_ns * max(1, -(-steps // STEPS)),
        by=by,
        total=_NOTHING
        if total is None
        else _row(total, None, reader.counts(PROJECT, window).errors, _squeezed(everything)),
        rows=rows,
        pending=0,
    )


_COUNT = (Measure("count"),)
_STEPS, _MOST_GROUPS = 400, 1000


def _row(group: Group, value: str | None, errors: object, trend: Sequence[int]) -> Row:
    spans, tokens_in, tokens_out, cost, p50, p95 = group.values
    return Row(
        value=value,
        spans=cast(int, spans),
        errors=cast(int, errors or 0),
        input_tokens=cast(int, tokens_in or 0),
        output_tokens=cast(int, tokens_out or 0),
        cost_usd=cast(Decimal, cost or Decimal(0)),
        duration_p50_ns=cast("float | None", p50),
        duration_p95_ns=cast("float | None", p95),
        trend=trend,
    )


def _squeezed(trend: Sequence[int], steps: int = STEPS) -> list[int]:
    """Neighbouring steps summed, so that no more than so many are left."""
    size = max(1, -(-len(trend) // steps))
    return [sum(trend[at : at + size]) for at in range(0, len(trend), size)]


def sparkline(trend: Sequence[int]) -> str:
    """A bar per step, the highest being the most of this trend; a step without spans stays empty."""
    most = max(trend, default=0)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] if most else " " for count in trend)


def _print(stats: Stats, width: int, ink: Ink, now_ns: int) -> None:
    total = stats.total
    when = took(stats.end_ns - stats.start_ns)
    until = "" if abs(stats.end_ns - now_ns) < 2 * MINUTE_NS else f" before {absolute(stats.end_ns)[:16]} UTC"
    which = f"in the last {when}" if not until else f"in {when}{until}"
    said = [
        f"{counted(total.spans, 'span')} {which}: {counted(total.errors, 'error') if total.errors else 'no errors'}"
    ]
    if total.duration_p50_ns is not None:
        said.append(f"p50 {took(total.duration_p50_ns)}, p95 {took(total.duration_p95_ns)}")
    said += [usd(total.cost_usd)] if total.cost_usd else []
    for line in wrapped(f"{', '.join(said)}.", width):
        click.echo(ink.bold(line))
    for line in _table(stats, width, ink):
        click.echo(line)
    if stats.pending:
        click.echo(f"{counted(stats.pending, 'span')} came a moment ago and are not counted yet.", err=True)


def _table(stats: Stats, width: int, ink: Ink) -> Iterator[str]:
    """A wide terminal has finer trends, the median beside the 95th percentile, and both sides of the tokens."""
    wide = width >= 100
    rows = [
        (
            stripped(row.value) if row.value else "(none)",
            sparkline(row.trend if wide else _squeezed(row.trend, STEPS // 2)),
            short(row.spans),
            short(row.errors) if row.errors else "",
            *([took(row.duration_p50_ns) if row.duration_p50_ns is not None else ""] if wide else []),
            took(row.duration_p95_ns) if row.duration_p95_ns is not None else "",
            *(_tokens(row) if wide else [_tokens(row, together=True)[0]]),
            usd(row.cost_usd) if row.cost_usd else "",
            share(float(row.cost_usd / stats.total.cost_usd)) if row.cost_usd and stats.total.cost_usd else "",
        )
        for row in sorted(stats.rows, key=lambda row: row.value is None)
    ]
    tokens = ("tok in", "tok out") if wide else ("tokens",)
    head = (stats.by, "over time", "spans", "errors", *(("p50",) if wide else ()), "p95", *tokens, "cost", "share")
    widths = [max(cells(row[at]) for row in [head, *rows]) for at in range(len(head))]
    if sum(widths[1:]) + len(widths) > width - 12:  # the trend and the share go first
        kept = [at for at, name in enumerate(head) if name not in ("over time", "share")]
        head, *rows = [tuple(row[at] for at in kept) for row in [head, *rows]]
        widths = [widths[at] for at in kept]
    widths[0] = max(8, min(widths[0], width - sum(widths[1:]) - len(widths) + 1))
    for number, row in enumerate([head, *rows]):
        said = [left(middle_cut(row[0], widths[0]), widths[0])]
        for name, text, room in zip(head[1:], row[1:], widths[1:], strict=True):
            placed = left(text, room) if name == "over time" else right(text, room)
            said.append(ink.bad(placed) if name == "errors" and number and text else placed)
        line = " ".join(said).rstrip()
        yield ink.pale(line) if number == 0 else line


def _tokens(row: Row, *, together: bool = False) -> list[str]:
    counts = [row.input_tokens + row.output_tokens] if together else [row.input_tokens, row.output_tokens]
    return [short(count) if count else "" for count in counts]


def _print_groups(
    groups: Sequence[Group], measures: Sequence[Measure], by: Sequence[str], width: int, ink: Ink
) -> None:
    table = [[*by, *map(str, measures)]]
    for group in groups:
        keys = [_key(field, key) for field, key in zip(by, group.keys, strict=True)]
        table.append([*keys, *(_said(measure, value) for measure, value in zip(measures, group.values, strict=True))])
    widths = [min(max(cells(row[at]) for row in table), 40) for at in range(len(table[0]))]
    for number, row in enumerate(table):
        said = [
            left(text, room) if at < len(by) else right(text, room)
            for at, (text, room) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(said)[: max(width, sum(widths) + 2 * len(widths))].rstrip()
        click.echo(ink.pale(line) if number == 0 else line)


def _key(field: str, key: Key) -> str:
    if key is None:
        return "–"
    if field in TIMES and isinstance(key, int):
        return absolute(key)[:16]
    return str(key).lower() if isinstance(key, bool) else stripped(str(key))


def _said(measure: Measure, value: object) -> str:
    if value is None:
        return "–"
    if measure.field == "cost_usd":
        return usd(Decimal(str(value)))
    if measure.field is not None and measure.field.endswith("_ns"):
        return took(float(cast(float, value)))
    return f"{value:,}" if isinstance(value, int) else f"{float(cast(float, value)):,.1f}"


def _print_nothing(reader: SpanReader, filter: Filter, start_ns: int, end_ns: int) -> None:
    newest = reader.spans(PROJECT, filter, limit=1).items
    if not newest:
        nothing_found(reader, "span", bool(filter))
        return
    begun = newest[0].start_ns
    click.echo(
        f"No span that fits began between {absolute(start_ns)[:16]} and {absolute(end_ns)[:16]} UTC; the latest began "
        f"{ago(begun, time.time_ns())}{'' if begun < start_ns - 7 * DAY_NS else ' ago'}: "
        f"ask with --since {absolute(begun)[:10]}."
    )
