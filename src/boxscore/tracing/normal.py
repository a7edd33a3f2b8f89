"""The normal form: what a span says, whatever its instrumentation calls it, as the row that the store takes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec

from boxscore.costs import PriceBook, default_book
from boxscore.store.spans import SpanRow
from boxscore.tracing.conventions import Field, Name
from boxscore.tracing.conventions.events import CONTENT, EVENTS
from boxscore.tracing.messages import Message, read_messages, spread_message, text_of_list
from boxscore.tracing.otlp import Span, read_stored
from boxscore.tracing.pricing import Counts, Pricing
from boxscore.tracing.providers import normal_provider, seller_of
from boxscore.tracing.rules import rule_of
from boxscore.tracing.shapes import COUNTS, LONGEST_TEXT, MESSAGES, Shape, Shapes
from boxscore.tracing.values import attributes_of, object_of, read_value
from boxscore.types import Json

__all__ = ["Normaliser"]

_AROUND = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "chain"})
"""Operations around calls of a model: the tokens they tell are the sums of spans inside them."""

_LONGEST_MESSAGE = 8_192
_MOST_METADATA = 128
_MOST_TOKENS = 10**12
_MOST_WAIT = 10**18  # nanoseconds
_EVENT_RANK = 1_000_000  # what an event says counts after what an attribute says

_FROM_RESOURCE: tuple[Field, ...] = ("application", "environment", "release")


class Normaliser:
    """Spans to rows. Remembers prices and shapes, so one serves a process; not for several threads at once."""

    def __init__(self, book: PriceBook | None = None) -> None:
        self._price = Pricing(book if book is not None else default_book())
        self._shapes = Shapes()

    def price_by(self, book: PriceBook) -> None:
        """From the next span on, whatever thread says so."""
        self._price = Pricing(book)

    def __call__(self, span: Span) -> SpanRow:
        """The row of a span. An attribute never costs a span: what cannot be read, or says nothing that a field has,
        stays in the raw span, or goes to the metadata when it is the application's own.

        Tokens and cost belong to calls of models: agents, chains and tools tell the sums of what is inside them, so
        their rows have none, and sums over rows count nothing twice.
        """
        shape = self._shapes.of(span.attributes)
        said, says = _Said(span, shape), shape.said
        told = said.texts()
        for field, text in _resource(span.resource).items():
            told.setdefault(field, text)
        if "provider" in told:
            told["provider"] = normal_provider(told["provider"])
        if "operation" not in told and shape.implied is not None:
            told["operation"] = shape.implied
        row: dict[str, object] = {
            **told,
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "name": span.name[:LONGEST_TEXT],
            "start_ns": span.start_ns,
            "duration_ns": span.duration_ns,
            "entry": span.parent_id is None or ("entry" in says and said.value("entry") in (True, "true", "True")),
            "error": span.error or ("error" in says and bool(said.value("error"))),
            "status_message": said.why(),
            "first_token_ns": said.first_token(),
            "raw": span.raw,
            "resource": span.resource,
            "scope": span.scope,
        }
        row["input_text"], row["output_text"] = said.messages()
        if shape.own:
            row["metadata"] = said.metadata()
        if shape.has_counts and told.get("operation") not in _AROUND:
            counts = said.counts()
            row["input_tokens"], row["output_tokens"] = counts.input, counts.output
            row["cached_tokens"], row["reasoning_tokens"] = counts.cached, counts.reasoning
            row["cost_usd"], row["price"] = self._cost(told, counts, span.start_ns)
        return SpanRow(**cast("dict[str, Any]", row))

    @staticmethod
    def counts_of(row: SpanRow) -> Counts | None:
        """The tokens that the raw span of a row tells; None where it cannot be read."""
        span = read_stored(row)
        return None if span is None else _Said(span, Shapes().of(span.attributes)).counts()

    def _cost(self, told: Mapping[Field, str], counts: Counts, start_ns: int) -> tuple[Decimal | None, str | None]:
        if counts.input is None and counts.output is None:
            return None, None
        model = told.get("model") or told.get("model_asked")
        if model is None:
            return None, None
        model = model.rpartition("/models/")[2]  # Vertex AI tells the resource's name
        provider = told.get("provider")
        return self._price(model, seller_of(provider) if provider is not None else None, start_ns, counts)


class _Said:
    """What the attributes and events of one span say, by field: of several the one with the lowest rank."""

    __slots__ = ("_events", "shape", "span")

    def __init__(self, span: Span, shape: Shape) -> None:
        self.span = span
        self.shape = shape
        self._events = self._read_events() if span.events else _NO_EVENTS

    def best(self, field: Field) -> tuple[int, Json, Name] | None:
        """Rank, value and name of the best that says something; events count after attributes."""
        for source in self.shape.said.get(field, ()):
            value = source.value(self.span.attributes[source.key])
            if value is not None:
                return source.rank, value, source.name
        return self._events.get(field)

    def value(self, field: Field) -> Json:
        if field in self.shape.said and (best := self.best(field)) is not None:
            return best[1]
        return None

    def texts(self) -> dict[Field, str]:
        """The fields that are texts and were told."""
        attributes = self.span.attributes
        found: dict[Field, str] = {}
        for field, sources in self.shape.texts:
            for source in sources:
                encoded = attributes[source.key]
                text = source.known.get(encoded)
                if text is None:
                    text = source.text(encoded)
                    if text is None:
                        break
                if text:
                    found[field] = text
                    break
        return found

    def metadata(self) -> dict[str, str]:
        """The application's own attributes."""
        notes: dict[str, tuple[int, str]] = {}
        for attribute, rule in self.shape.own:
            value = read_value(self.span.attributes[attribute])
            if rule.kind == "object":
                for key, inner in object_of(value).items():
                    _note(notes, key, rule.rank, inner)
            elif rule.kind == "tags" and isinstance(value, list):
                _note(notes, "tags", rule.rank, ", ".join(map(str, cast("list[Json]", value))))
            else:
                _note(notes, "tags" if rule.kind == "tags" else rule.key, rule.rank, value)
        return {key: notes[key][1] for key in sorted(notes)[:_MOST_METADATA]}

    def _read_events(self) -> dict[Field, tuple[int, Json, Name]]:
        found: dict[Field, tuple[int, Json, Name]] = {}
        gathered: dict[Field, list[Message]] = {}
        for event in self.span.events:
            name = event.name.decode("utf-8", "replace")
            field, attributes = EVENTS.get(name), event.attributes
            if field == "first_token":
                if field not in found and event.time >= self.span.start_ns:
                    waited = (event.time - self.span.start_ns) / 1e9
                    found[field] = (_EVENT_RANK, waited, Name(field=field, unit="s"))
            elif field is not None:
                role = name.split(".")[1]
                for key in CONTENT:
                    if key in attributes and (said := _messages(read_value(attributes[key]))):
                        gathered.setdefault(field, []).extend(Message(m.role or role, m.text) for m in said)
                        break
            elif name != "exception":
                for key in attributes:
                    rule = rule_of(key)
                    if rule.kind == "name" and rule.field in MESSAGES:
                        rank, value = rule.rank + _EVENT_RANK, read_value(attributes[key])
                        if value not in (None, "") and (rule.field not in found or rank < found[rule.field][0]):
                            found[rule.field] = (rank, value, rule.name)
        for field, messages in gathered.items():
            found[field] = (_EVENT_RANK, messages, Name(field=field))
        return found

    def why(self) -> str | None:
        """The status message, or what the last exception said of an error."""
        said = self.span.status_message or self.value("status_message")
        if not said and self.span.error:
            for event in self.span.events:
                if event.name == b"exception":
                    said = read_value(event.attributes.get("exception.message", b"")) or said
        return said[:_LONGEST_MESSAGE] if isinstance(said, str) and said else None

    def counts(self) -> Counts:
        said = self.shape.said
        came, uncached, answered, cached, written, reasoning = [
            _count(self.value(field)) if field in said else None for field in COUNTS
        ]
        aside = (cached or 0) + (written or 0)
        if came is None and uncached is not None:
            came = uncached + aside
        elif came is not None and came < aside:  # counted apart, as some providers do
            came += aside
        if answered is not None and reasoning is not None and answered < reasoning:
            answered += reasoning
        return Counts(came, answered, cached, written, reasoning)

    def first_token(self) -> int | None:
        """Nanoseconds from the start of the span to the first token."""
        if "first_token" not in self.shape.said and not self._events:
            return None
        best = self.best("first_token")
        if best is None:
            return None
        _, value, name = best
        unit = name.unit
        if unit == "at":
            at = _moment(value)
            waited = None if at is None else at - self.span.start_ns
        else:
            number = _number(value)
            scale = 1e6 if unit == "ms" else 1e9
            waited = round(number * scale) if number is not None and abs(number) < _MOST_WAIT / scale else None
        return waited if waited is not None and 0 <= waited < _MOST_WAIT else None

    def messages(self) -> tuple[str, str]:
        """The last message in and the answer out, as text."""
        came, answered = self._plain("input"), self._plain("output")
        if came is not None and answered is not None:
            return came, answered
        log: list[Message] = []
        if came is None:
            messages = self._messages("input", last=True)
            if messages and messages[-1].role == "choice":  # one log of both
                log = messages[-1:]
                messages = [message for message in messages if message.role != "choice"]
            came = messages[-1].text if messages else ""
        if answered is None or (log and not answered):
            said = self._messages("output", last=False) or log
            calls = self._messages("output_calls", last=False)
            answered = "\n".join(message.text for message in (*said, *calls) if message.text)
        return came, answered

    def _plain(self, field: Field) -> str | None:
        """What most spans say: plain text, or a list of messages with nothing but text; None where it may be anything
        else."""
        keys = self.shape.plain.get(field)
        if keys is None or self._events:
            return None
        found = ""
        for key in keys:
            value = read_value(self.span.attributes[key])
            if not isinstance(value, str) or not value:
                return None
            first = value[0]
            if (value.lstrip()[:1] if first.isspace() else first) in _JSON_STARTS:
                if field in self.shape.parts or first != "[":
                    return None
                return text_of_list(value, last=field == "input")
            found = f"{found}\n{value}" if found else value
        return found

    def _messages(self, field: Field, *, last: bool) -> list[Message]:
        parts, best = self.shape.parts.get(field), self.best(field)
        if parts is not None and (best is None or parts.rank < best[0]):
            attributes = self.span.attributes
            spread = [
                spread_message([(part, read_value(attributes[key])) for part, key in message])
                for message in (parts.messages[-1:] if last else parts.messages)
            ]
            if best is None or any(message.text for message in spread):  # else only who spoke is spread
                return spread
        return [] if best is None else _messages(best[1], last=last)


_JSON_STARTS = frozenset('[{"')
_NO_EVENTS: dict[Field, tuple[int, Json, Name]] = {}


def _note(notes: dict[str, tuple[int, str]], key: str, rank: int, value: Json) -> None:
    if value is None or isinstance(value, bytes):
        return
    text = value if isinstance(value, str) else _json(value)
    if text is not None and len(text) <= LONGEST_TEXT and len(key) <= LONGEST_TEXT:
        noted = notes.get(key)
        if noted is None or rank < noted[0]:
            notes[key] = (rank, text)


def _messages(value: Json, *, last: bool = False) -> list[Message]:
    if isinstance(value, list) and value and isinstance(value[0], Message):
        return cast("list[Message]", value)
    try:
        return read_messages(value, last=last)
    except RecursionError:
        return [Message(None, value)] if isinstance(value, str) else []


def _json(value: Json) -> str | None:
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, TypeError, RecursionError):
        return None


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number == number else None  # NaN is not itself


def _count(value: Json) -> int | None:
    """A count of tokens, or None where it is none."""
    if type(value) is int:
        return value if 0 <= value <= _MOST_TOKENS else None
    number = _number(value)
    return int(number) if number is not None and 0 <= number <= _MOST_TOKENS else None


def _moment(value: Json) -> int | None:
    """Nanoseconds since 1970 of a time in ISO 8601, which may be JSON text."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


@lru_cache(maxsize=256)
def _resource(data: bytes) -> Mapping[Field, str]:
    """What a resource says of its spans: the application, its environment and release."""
    best: dict[Field, tuple[int, str]] = {}
    for key, encoded in attributes_of(data, 1).items():
        rule = rule_of(key)
        if rule.field in _FROM_RESOURCE and (rule.field not in best or rule.rank < best[rule.field][0]):
            value = read_value(encoded)
            if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and not value.startswith("unknown_service"):
                best[rule.field] = (rule.rank, value)
    return {field: value for field, (_, value) in best.items()}
