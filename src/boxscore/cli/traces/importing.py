"""`boxscore traces import`: spans from a file of OTLP/JSON."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click
import msgspec

from boxscore import settings
from boxscore.cli.traces.asking import PROJECT, opened
from boxscore.errors import DatasetError, FileError
from boxscore.figures import counted
from boxscore.store.spans import SqliteSpans
from boxscore.text import stripped

GROUPS, BYTES = 500, 4 * 1024 * 1024
"""What is sent at once: so many groups of a resource, or so many bytes."""


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[msgspec.Raw]


class _ScopeSpans(msgspec.Struct, rename="camel"):
    spans: list[msgspec.Raw] = []


class _Group(msgspec.Struct, rename="camel"):
    scope_spans: list[_ScopeSpans] = []


class _Partial(msgspec.Struct, frozen=True, rename="camel"):
    rejected_spans: int = 0
    error_message: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    partial_success: _Partial = _Partial()


class _Sender(Protocol):
    def __call__(self, body: bytes, /) -> bytes: ...


@click.command(name="import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path) -> None:
    """Take in the spans of FILE: OTLP/JSON, one request or one a line.

    So an export in .otlp.jsonl comes into another folder or server, and so does what the file exporter of an
    OpenTelemetry collector wrote. A span that is here already stays as it is: a file may be imported again.
    """
    taken = refused = 0
    reasons: set[str] = set()
    with _sender() as send:
        for groups in _batches(file):
            spans = sum(_count(group) for group in groups)
            told = msgspec.json.decode(send(msgspec.json.encode(_Request(groups))), type=_Answer, strict=False)
            left_out = told.partial_success.rejected_spans
            taken, refused = taken + spans - left_out, refused + left_out
            if left_out:
                reasons.add(stripped(told.partial_success.error_message))
    click.echo(f"{counted(taken, 'span')} taken in", err=True)
    if refused:
        click.echo(f"{counted(refused, 'span')} refused: {'; '.join(sorted(reasons))}", err=True)


@contextmanager
def _sender() -> Generator[_Sender]:
    """Where requests go: to the server, or where there is none through an ingest of our own."""
    from boxscore.client.spans import RemoteSpans

    with opened() as reader:
        if isinstance(reader, RemoteSpans):
            yield reader.ingest_json
            return
    from boxscore.costs import PriceBook
    from boxscore.tracing.ingest import Ingest

    with SqliteSpans(settings.home()) as store, Ingest(store, PriceBook.load()) as ingest:
        yield lambda body: ingest.json(PROJECT, body).result()
        store.catch_up()


def _batches(file: Path) -> Iterator[list[msgspec.Raw]]:
    groups: list[msgspec.Raw] = []
    size = 0
    for more in _requests(file):
        for group in more:
            groups.append(group)
            size += len(bytes(group))
            if len(groups) >= GROUPS or size >= BYTES:
                yield groups
                groups, size = [], 0
    if groups:
        yield groups


def _requests(file: Path) -> Iterator[Sequence[msgspec.Raw]]:
    """The groups of each request, line by line; a file whose first line is no request is one request."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    yield _read(line)
                except msgspec.MsgspecError as error:
                    if number > 1:
                        raise DatasetError(
                            f"this line is no OTLP/JSON request: {error}", path=file, line=number
                        ) from None
                    break
            else:
                return
        yield _read(file.read_bytes())
    except OSError as error:
        raise FileError(file, f"it cannot be read: {error.strerror or error}.") from error
    except msgspec.MsgspecError as error:
        raise FileError(
            file, f"it holds no OTLP/JSON ({error}): an object with resourceSpans is awaited, or one a line."
        ) from None


def _read(data: bytes) -> Sequence[msgspec.Raw]:
    return [group.copy() for group in msgspec.json.decode(data, type=_Request).resource_spans]


def _count(group: msgspec.Raw) -> int:
    try:
        return sum(len(scope.spans) for scope in msgspec.json.decode(group, type=_Group).scope_spans)
    except msgspec.MsgspecError:
        return 0  # whoever takes it in says what is wrong
