"""What was said, for a terminal: who on the left, hanging text on the right, and nothing a model can break out of."""

from collections.abc import Iterable, Iterator

import click
import msgspec

from boxscore.cli.json_output import print_json
from boxscore.cli.traces.ink import Ink, safe, terminal_width
from boxscore.cli.traces.words import took, usd
from boxscore.store.spans import StoredSpan
from boxscore.text import cells, cut, left, revealed, stripped, wrapped
from boxscore.tracing.conversation import conversation
from boxscore.tracing.said import Media, Message, Part, Reasoning, Text, ToolCall, ToolResult
from boxscore.types import Json

WHO = 11
"""Columns of who said it."""
SHOWN_LINES = 12
"""Lines of one message, where not all is asked for."""


def print_conversation(spans: Iterable[StoredSpan], full: bool, as_json: bool) -> None:
    """What was said in spans that come by start, each call of a model under a rule of its own."""
    said = conversation(spans)
    if as_json:
        print_json([{"span_id": span.span_id.hex(), **msgspec.to_builtins(message)} for message, span in said])
        return
    ink, width = Ink.of_terminal(), terminal_width()
    before: tuple[bytes, bytes] | None = None
    for message, span in said:
        if (span.trace_id, span.span_id) != before:
            before = span.trace_id, span.span_id
            facts = (took(span.duration_ns), usd(span.cost_usd), span.span_id.hex()[:6])
            title = "  ".join((cut(safe(span.name), width - 40), *filter(None, facts)))
            click.echo(ink.pale(f"── {title} " + "─" * max(0, width - cells(title) - 4)))
        for line in message_lines(message, width, ink, full=full):
            click.echo(line)
    if before is None:
        click.echo("Nothing was said that can be read: `boxscore traces show TRACE --span ID` shows what came.")


def message_lines(message: Message, width: int, ink: Ink, *, full: bool) -> Iterator[str]:
    role = stripped(message.role or "?")
    who = ink.bold(left(role, WHO)) if role == "assistant" else left(role, WHO)
    lines = [line for part in message.parts for line in _part_lines(part, width - WHO, ink)]
    shown = lines if full or len(lines) <= SHOWN_LINES + 1 else lines[:SHOWN_LINES]
    for at, line in enumerate(shown):
        yield ((who if at == 0 else " " * WHO) + line).rstrip()
    if len(shown) < len(lines):
        yield " " * WHO + ink.pale(f"… {len(lines) - len(shown):,} more lines: --full")


def _part_lines(part: Part, width: int, ink: Ink) -> Iterable[str]:
    match part:
        case Text(text):
            return block(text, width)
        case Reasoning(text):
            return [ink.pale(line) for line in block(text, width, "(thinks) ")]
        case ToolCall(name, arguments):
            told = "" if arguments is None else as_text(arguments)
            return block(told, width, f"→ {safe(name)} ")
        case ToolResult(text, name):
            return block(text, width, f"← {stripped(name)} " if name else "← ")
        case Media(kind, source, media_type):
            told = ", ".join(filter(None, (kind, media_type, source)))
            return block(f"[{told}]", width)


def block(text: str, width: int, lead: str = "") -> list[str]:
    """A text of several lines in lines of at most `width` columns, each broken where it has to be and set in as it was;
    what hides in it is shown. `lead` stands before the first, and the others hang from it by two columns."""
    lines: list[str] = []
    hang = "  " if lead else ""
    for number, line in enumerate(revealed(text.strip("\n")).split("\n")):
        line = line.expandtabs(4).rstrip()
        head = lead if number == 0 else hang
        if cells(head) + cells(line) <= width:
            lines.append(head + line)
            continue
        indent = len(line) - len(line.lstrip())
        inside = hang + " " * (indent if indent < width // 2 else 0)
        if number == 0 and cells(lead) > width // 2:
            lines.append(lead.rstrip())
            head = hang
        first = head if number == 0 else inside
        room = width - cells(inside)
        taken = cells(first) - cells(inside)  # a word of that length stands for what is before the first line
        pieces = wrapped("x" * (taken - 1) + " " + line if taken > 1 else line, room)
        lines.append(first + pieces[0][taken if taken > 1 else 0 :])
        lines += [inside + piece for piece in pieces[1:]]
    return lines


def as_text(value: Json) -> str:
    """JSON on one line; text as it is."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=-1).decode()
