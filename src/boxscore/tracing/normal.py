"""The normal form: what a span says, whatever its instrumentation calls it, as the row that the store takes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

import msgspec

from boxscore.costs import PriceBook, default_book
from boxscore.store.spans import SpanRow
from boxscore.tracing.conventions import Field, Name
from boxscore.tracing.conventions.events import CONTENT, EVENTS
from boxscore.tracing.messages import Message, numbered, read_messages
from boxscore.tracing.otlp import Span
from boxscore.tracing.pricing import Counts, Pricing
from boxscore.tracing.providers import normal_provider, seller_of
from boxscore.tracing.rules import OWN, RAW, Rule, rule_of
from boxscore.tracing.values import attributes_of, read_value
from boxscore.types import Json

__all__ = ["Normaliser"]

_AROUND = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "chain"})
"""Operations around calls of a model: the tokens they tell are the sums of spans inside them."""

_LONGEST_TEXT = 1_024  # characters of a value that is filtered by; longer ones stay in the raw span
_LONGEST_MESSAGE = 8_192
_MOST_METADATA = 128
_MOST_TOKENS = 10**12
_MOST_WAIT = 10**18  # nanoseconds
_EVENT_RANK = 1_000_000  # what an event says counts after what an attribute says

_FROM_RESOURCE: tuple[Field, ...] = ("application", "environment", "release")


class Normaliser:
    """Spans to rows. Keeps what prices it has found, so one serves a process; not for several threads at once."""

    def __init__(self, book: PriceBook | None = None) -> None:
        self._price = Pricing(book if book is not None else default_book())

    def __call__(self, span: Span) -> SpanRow:
        """The row of a span. An attribute never costs a span: what cannot be read, or says nothing that a field has,
        stays in the raw span, or goes to the metadata when it is the application's own.

        Tokens and cost belong to calls of models: agents, chains and tools tell the sums of what is inside them, so
        their rows have none, and sums over rows count nothing twice.
        """
        said = _Said(span)
        text, resource = said.text, _resource(span.resource)
        operation = text("operation") or said.implied
        model_asked, model, provider = text("model_asked"), text("model"), text("provider")
        provider = normal_provider(provider) if provider else None
        counts, usd, price = _NOTHING, None, None
        if operation not in _AROUND:
            counts = said.counts()
            priced = model or model_asked
            if priced and (counts.input is not None or counts.output is not None):
                priced = priced.rpartition("/models/")[2]  # Vertex AI's resource names
                usd, price = self._price(priced, seller_of(provider) if provider else None, span.start_ns, counts)
        came, answered = said.messages()
        level = said.value("error")
        return SpanRow(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            name=span.name[:_LONGEST_TEXT],
            start_ns=span.start_ns,
            duration_ns=span.duration_ns,
            entry=span.parent_id is None or said.value("entry") in (True, "true", "True"),
            error=span.error or bool(level),
            status_message=said.why(),
            operation=operation,
            step=text("step"),
            application=text("application") or resource.get("application"),
            environment=text("environment") or resource.get("environment"),
            release=text("release") or resource.get("release"),
            session=text("session"),
            user=text("user"),
            model_asked=model_asked,
            model=model,
            provider=provider,
            fingerprint=text("fingerprint"),
            prompt=text("prompt"),
            prompt_version=text("prompt_version"),
            variant=text("variant"),
            graph=text("graph"),
            input_tokens=counts.input,
            output_tokens=counts.output,
            cached_tokens=counts.cached,
            reasoning_tokens=counts.reasoning,
            cost_usd=usd,
            price=price,
            first_token_ns=said.first_token(),
            input_text=came,
            output_text=answered,
            metadata=said.metadata(),
            raw=span.raw,
            resource=span.resource,
            scope=span.scope,
        )


_NOTHING = Counts(None, None, None, None, None)


class _Said:
    """What the attributes and events of one span say, by field: of several the one with the lowest rank."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._notes: dict[str, tuple[int, str]] = {}
        self._implied: tuple[int, str] | None = None
        self._best: dict[Field, tuple[int, Json, Name | None]] = {}
        self._numbered: dict[tuple[Field, int], list[tuple[tuple[str, ...], Json]]] = {}
        for key, data in span.attributes.items():
            rule = rule_of(key)
            if rule is not RAW:
                self._take(rule, key, data)
        if span.events:
            self._read_events()

    def _take(self, rule: Rule, key: str, data: bytes) -> None:
        field, name = rule.field, rule.name
        if name is not None and name.implies is not None and (self._implied is None or rule.rank < self._implied[0]):
            self._implied = (rule.rank, name.implies)
        if rule is OWN:
            self._note(key, rule.rank, read_value(data))
        elif rule.part is not None and field is not None:
            self._numbered.setdefault((field, rule.rank), []).append((rule.part, read_value(data)))
        elif rule.key is not None:
            self._note(rule.key, rule.rank, read_value(data))
        elif rule.keys is not None:
            for inner, value in _object(read_value(data)).items():
                if (told := rule.keys.get(inner)) is not None:
                    self._put(told.field, rule.rank, value, told)
        elif field == "metadata":
            for inner, value in _object(read_value(data)).items():
                self._note(inner, rule.rank, value)
        elif field == "tags":
            tags = read_value(data)
            tags = ", ".join(map(str, cast("list[Json]", tags))) if isinstance(tags, list) else tags
            self._note("tags", rule.rank, tags)
        elif field is not None:
            best = self._best.get(field)
            if best is None or rule.rank < best[0]:
                self._put(field, rule.rank, read_value(data), name)

    def _put(self, field: Field, rank: int, value: Json, name: Name | None) -> None:
        if isinstance(value, str) and value[:1] == value[-1:] == '"' and field not in _MESSAGES:
            value = _unquoted(value)
        if name is not None and name.values:
            value = name.values.get(value, value) if isinstance(value, str) else None
        if value is None or value == "":
            return
        best = self._best.get(field)
        if best is None or rank < best[0]:
            self._best[field] = (rank, value, name)

    def _note(self, key: str, rank: int, value: Json) -> None:
        if value is None or isinstance(value, bytes):
            return
        text = value if isinstance(value, str) else _json(value)
        if text is not None and len(text) <= _LONGEST_TEXT and len(key) <= _LONGEST_TEXT:
            noted = self._notes.get(key)
            if noted is None or rank < noted[0]:
                self._notes[key] = (rank, text)

    @property
    def implied(self) -> str | None:
        return None if self._implied is None else self._implied[1]

    def metadata(self) -> dict[str, str]:
        notes = self._notes
        return {key: notes[key][1] for key in sorted(notes)[:_MOST_METADATA]} if notes else {}

    def _read_events(self) -> None:
        gathered: dict[Field, list[Message]] = {}
        for event in self.span.events:
            name = event.name.decode("utf-8", "replace")
            field, attributes = EVENTS.get(name), event.attributes
            if field == "first_token":
                if "first_token" not in self._best and event.time >= self.span.start_ns:
                    waited = (event.time - self.span.start_ns) / 1e9
                    self._put(field, _EVENT_RANK, waited, Name(field=field, unit="s"))
            elif field is not None:
                role = name.split(".")[1]
                for key in CONTENT:
                    if key in attributes and (found := _messages(read_value(attributes[key]))):
                        gathered.setdefault(field, []).extend(Message(m.role or role, m.text) for m in found)
                        break
            elif name != "exception":
                for key in attributes:
                    rule = rule_of(key)
                    if rule.field in {"input", "output"} and rule.part is None:
                        self._put(rule.field, rule.rank + _EVENT_RANK, read_value(attributes[key]), rule.name)
        for field, messages in gathered.items():
            self._put(field, _EVENT_RANK, messages, None)

    def value(self, field: Field) -> Json:
        best = self._best.get(field)
        return None if best is None else best[1]

    def text(self, field: Field) -> str | None:
        value = self.value(field)
        if isinstance(value, str):
            return value if len(value) <= _LONGEST_TEXT else None
        if isinstance(value, int | float):
            return _json(value)
        return None

    def why(self) -> str | None:
        """The status message, or what the last exception said of an error."""
        said = self.span.status_message or self.value("status_message")
        if not said and self.span.error:
            for event in self.span.events:
                if event.name == b"exception":
                    said = read_value(event.attributes.get("exception.message", b"")) or said
        return said[:_LONGEST_MESSAGE] if isinstance(said, str) and said else None

    def counts(self) -> Counts:
        count = {field: _count(self.value(field)) for field in _COUNTS}
        cached, written = count["cached_tokens"], count["written_tokens"]
        aside = (cached or 0) + (written or 0)
        came, uncached = count["input_tokens"], count["uncached_tokens"]
        if came is None and uncached is not None:
            came = uncached + aside
        elif came is not None and came < aside:  # counted apart, as some providers do
            came += aside
        answered, reasoning = count["output_tokens"], count["reasoning_tokens"]
        if answered is not None and reasoning is not None and answered < reasoning:
            answered += reasoning
        return Counts(came, answered, cached, written, reasoning)

    def first_token(self) -> int | None:
        """Nanoseconds from the start of the span to the first token."""
        best = self._best.get("first_token")
        if best is None:
            return None
        _, value, name = best
        unit = name.unit if name is not None else None
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
        came, answered = self._messages("input", last=True), self._messages("output", last=False)
        if came and came[-1].role == "choice":  # one log of both
            answered = answered or [came[-1]]
            came = [message for message in came if message.role != "choice"]
        calls = self._messages("output_calls", last=False)
        texts = [message.text for message in (*answered, *calls) if message.text]
        return came[-1].text if came else "", "\n".join(texts)

    def _messages(self, field: Field, *, last: bool) -> list[Message]:
        best = self._best.get(field)
        ranks = [rank for of, rank in self._numbered if of == field]
        if ranks and (best is None or min(ranks) < best[0]):
            return numbered(self._numbered[field, min(ranks)], last=last)
        return [] if best is None else _messages(best[1])


_MESSAGES: frozenset[Field] = frozenset({"input", "output", "output_calls"})
_COUNTS: tuple[Field, ...] = (
    "input_tokens",
    "uncached_tokens",
    "output_tokens",
    "cached_tokens",
    "written_tokens",
    "reasoning_tokens",
)


def _messages(value: Json) -> list[Message]:
    if isinstance(value, list) and value and isinstance(value[0], Message):
        return cast("list[Message]", value)
    try:
        return read_messages(value)
    except RecursionError:
        return [Message(None, value)] if isinstance(value, str) else []


def _unquoted(text: str) -> str:
    """Text that was made JSON, as MLflow does with all it sets."""
    try:
        return msgspec.json.decode(text, type=str)
    except ValueError:
        return text


def _object(value: Json) -> Mapping[str, Json]:
    """A value that is an object, or JSON text of one."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


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
            if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and not value.startswith("unknown_service"):
                best[rule.field] = (rule.rank, value)
    return {field: value for field, (_, value) in best.items()}
