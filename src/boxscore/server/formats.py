"""Spans, traces and sessions in the formats of other tools, a page at a time."""

import csv
import importlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

import msgspec

from boxscore.client.forms import encode
from boxscore.errors import ExtraMissingError
from boxscore.store.spans import StoredSpan, TraceSummary
from boxscore.store.spans.store import SessionSummary
from boxscore.tracing.raw import read_raw
from boxscore.types import Json

__all__ = ["COLUMNS", "Writer", "csv_rows", "defused", "span_form", "table_of", "writer_of"]

COLUMNS: tuple[str, ...] = (
    "start",
    *(
        field
        for field in StoredSpan.__struct_fields__
        if field not in {"raw", "resource", "scope", "input_text", "output_text", "metadata", "received_ns"}
    ),
    "input_text",
    "output_text",
    "metadata",
)
"""Of a table: the fields of a span, `start` as a time of ISO 8601 before them, metadata as JSON."""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Writer(Protocol):
    def write(self, spans: Sequence[StoredSpan]) -> None: ...

    def close(self) -> None:
        """Writes what is left; the file stays open."""
        ...


def writer_of(form: str, out: BinaryIO, *, begin: bool) -> Writer:
    """A writer of this format at the place where `out` stands; `begin`: nothing is there yet."""
    match form:
        case "csv":
            return _Csv(out, begin=begin)
        case "parquet":
            return _Parquet(out)
        case "otlp":
            return _Otlp(out)
        case _:
            return _Jsonl(out)


def span_form(span: StoredSpan) -> dict[str, Json]:
    """The span as the HTTP API tells it, with its raw bytes read."""
    form: dict[str, Json] = msgspec.json.decode(encode(span))
    for name in ("raw", "resource", "scope"):
        form.pop(name, None)
    return {**form, **msgspec.to_builtins(read_raw(span))}


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what begins like one."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


class _Jsonl:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, spans: Sequence[StoredSpan]) -> None:
        self._out.write(b"".join(msgspec.json.encode(span_form(span)) + b"\n" for span in spans))

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, out: BinaryIO, *, begin: bool) -> None:
        self._out = out
        if begin:
            self._rows([COLUMNS])

    def write(self, spans: Sequence[StoredSpan]) -> None:
        self._rows([[_cell(value) for value in _values(span)] for span in spans])

    def close(self) -> None:
        pass

    def _rows(self, rows: Sequence[Sequence[object]]) -> None:
        self._out.write(csv_rows(rows))


class _Otlp:
    """A line per span: `ExportTraceServiceRequest` in OTLP/JSON, whose ids are hex."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, spans: Sequence[StoredSpan]) -> None:
        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
        from opentelemetry.proto.resource.v1.resource_pb2 import Resource
        from opentelemetry.proto.trace.v1.trace_pb2 import Span

        for span in spans:
            try:
                raw = Span.FromString(span.raw)
            except DecodeError:  # a row that did not come over OTLP: what it is, without attributes
                raw = Span()
            if not raw.span_id:
                end = 0 if span.duration_ns is None else span.start_ns + span.duration_ns
                raw = Span(
                    trace_id=span.trace_id,
                    span_id=span.span_id,
                    parent_span_id=span.parent_id or b"",
                    name=span.name,
                    start_time_unix_nano=span.start_ns,
                    end_time_unix_nano=end,
                )
            told = MessageToDict(raw, use_integers_for_enums=True)
            for name, value in (
                ("traceId", raw.trace_id),
                ("spanId", raw.span_id),
                ("parentSpanId", raw.parent_span_id),
            ):
                if value:
                    told[name] = value.hex()
            for link, given in zip(told.get("links", []), raw.links, strict=True):
                link |= {"traceId": given.trace_id.hex(), "spanId": given.span_id.hex()}
            try:
                resource = MessageToDict(Resource.FromString(span.resource))
                scope = MessageToDict(InstrumentationScope.FromString(span.scope))
            except DecodeError:
                resource, scope = {}, {}
            group = {"resource": resource, "scopeSpans": [{"scope": scope, "spans": [told]}]}
            self._out.write(msgspec.json.encode({"resourceSpans": [group]}) + b"\n")

    def close(self) -> None:
        pass


class _Parquet:
    def __init__(self, out: BinaryIO) -> None:
        try:
            arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise ExtraMissingError("a Parquet file", "parquet") from None
        self._arrow = arrow
        kinds: dict[str, Any] = {
            "start": arrow.timestamp("ns", tz="UTC"),
            "cost_usd": arrow.decimal128(38, 12),
            **dict.fromkeys(("entry", "error"), arrow.bool_()),
        }
        numbers = [field for field in COLUMNS if field.endswith(("_ns", "_tokens"))]
        kinds |= dict.fromkeys(numbers, arrow.int64())
        self._schema: Any = arrow.schema([(field, kinds.get(field, arrow.string())) for field in COLUMNS])
        self._file: Any = parquet.ParquetWriter(out, self._schema, compression="zstd")

    def write(self, spans: Sequence[StoredSpan]) -> None:
        columns: dict[str, list[object]] = {field: [] for field in COLUMNS}
        for span in spans:
            for field, value in zip(COLUMNS, _values(span), strict=True):
                columns[field].append(span.start_ns if field == "start" else value)
        self._file.write_table(self._arrow.table(columns, schema=self._schema))

    def close(self) -> None:
        self._file.close()


def _values(span: StoredSpan) -> list[object]:
    found: list[object] = []
    for field in COLUMNS:
        value: object = _iso(span.start_ns) if field == "start" else getattr(span, field)
        if isinstance(value, bytes):
            value = value.hex()
        elif field == "metadata":
            value = msgspec.json.encode(span.metadata).decode() if span.metadata else None
        found.append(value)
    return found


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return defused(value) if isinstance(value, str) else value


def csv_rows(rows: Sequence[Sequence[object]]) -> bytes:
    """Lines of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


_OF_TRACE = ("spans", "errors", "duration_ns", "input_tokens", "output_tokens", "cost_usd")
_OF_ENTRY = ("trace_id", "name", "application", "environment", "release", "session", "user", "variant")
_OF_SESSION = ("session", "user", "traces", "spans", "errors", "input_tokens", "output_tokens", "cost_usd")


def table_of(items: Sequence[TraceSummary] | Sequence[SessionSummary], *, head: bool) -> bytes:
    """Traces or sessions as lines of CSV: start as a time of ISO 8601, then totals; with `head` the names of the
    columns before them."""
    rows: list[Sequence[object]] = []
    for item in items:
        if isinstance(item, SessionSummary):
            names = ("start", "last", *_OF_SESSION)
            told = [_iso(item.start_ns), _iso(item.last_ns), *(_cell(getattr(item, name)) for name in _OF_SESSION)]
        else:
            names = ("start", *_OF_ENTRY, "error", "models", *_OF_TRACE, "input_text", "output_text")
            entry = item.entry
            told = [
                _iso(entry.start_ns),
                *(_cell(value.hex() if isinstance(value, bytes) else value) for value in _get(entry, _OF_ENTRY)),
                _cell(entry.error),
                _cell(" ".join(item.models)),
                *map(_cell, _get(item, _OF_TRACE)),
                _cell(entry.input_text),
                _cell(entry.output_text),
            ]
        if head and not rows:
            rows.append(names)
        rows.append(told)
    return csv_rows(rows)


def _get(item: object, names: Sequence[str]) -> list[object]:
    return [getattr(item, name) for name in names]


def _iso(at_ns: int) -> str:
    """Of a time in nanoseconds since 1970, to the nanosecond."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // 10**9)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns % 10**9:09d}Z"
