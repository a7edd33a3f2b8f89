"""The raw span, read whole: every attribute and event as it came, whatever the normal form makes of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import cast

import msgspec

from boxscore.store.spans import SpanRow
from boxscore.tracing.values import attributes_of, read_value
from boxscore.tracing.wire import BrokenWireError, read_span
from boxscore.types import Json

__all__ = ["RawEvent", "RawScope", "RawSpan", "read_raw"]


class RawEvent(msgspec.Struct, frozen=True):
    """`time_ns`: nanoseconds since 1970 by the sender's clock."""

    name: str
    time_ns: int
    attributes: Mapping[str, Json]


class RawScope(msgspec.Struct, frozen=True):
    """The library that made the span."""

    name: str = ""
    version: str = ""
    attributes: Mapping[str, Json] = {}


class RawSpan(msgspec.Struct, frozen=True):
    """What a span said in its own words. Values as `values.read_value` gives them, bytes as hex."""

    attributes: Mapping[str, Json] = {}
    events: Sequence[RawEvent] = ()
    resource: Mapping[str, Json] = {}
    scope: RawScope = RawScope()


def read_raw(span: SpanRow) -> RawSpan:
    """The raw span of a row; what is no protobuf is left out."""
    attributes: dict[str, Json] = {}
    events: list[RawEvent] = []
    with suppress(BrokenWireError):
        message = read_span(span.raw)
        attributes = {key: _plain(read_value(message.attributes[key])) for key in sorted(message.attributes)}
        for event in message.events:
            said = {key: _plain(read_value(event.attributes[key])) for key in sorted(event.attributes)}
            events.append(RawEvent(event.name.decode("utf-8", "replace"), event.time, said))
    return RawSpan(attributes, events, _attributes(span.resource, 1), _scope(span.scope))


def _scope(data: bytes) -> RawScope:
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope

    with suppress(BrokenWireError):
        scope = InstrumentationScope.FromString(data)
        return RawScope(scope.name, scope.version, _attributes(data, 3))
    return RawScope()


def _attributes(data: bytes, number: int) -> dict[str, Json]:
    return {key: _plain(read_value(value)) for key, value in sorted(attributes_of(data, number).items())}


def _plain(value: Json) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Json]", value)]
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in cast("dict[str, Json]", value).items()}
    return value
