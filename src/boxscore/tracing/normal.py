"""The normal form: what a span says, whatever its instrumentation calls it, as the row that the store takes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
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
from boxscore.tracing.rules import RAW, Rule, rule_of
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
        told = said.texts()
        for field, text in _resource(span.resource).items():
            told.setdefault(field, text)
        if "provider" in told:
            told["provider"] = normal_provider(told["provider"])
        if "operation" not in told and said.implied is not None:
            told["operation"] = said.implied
        counts = _NOTHING if told.get("operation") in _AROUND else said.counts()
        usd, price = self._cost(told, counts, span.start_ns)
        came, answered = said.messages()
        return SpanRow(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            name=span.name[:_LONGEST_TEXT],
            start_ns=span.start_ns,
            duration_ns=span.duration_ns,
            entry=span.parent_id is None or said.value("entry") in (True, "true", "True"),
            error=span.error or bool(said.value("error")),
            status_message=said.why(),
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
            **told,
        )

    def _cost(self, told: Mapping[Field, str], counts: Counts, start_ns: int) -> tuple[Decimal | None, str | None]:
        model = told.get("model") or told.get("model_asked")
        if model is None or (counts.input is None and counts.output is None):
            return None, None
        model = model.rpartition("/models/")[2]  # Vertex AI tells the resource's name
        provider = told.get("provider")
        return self._price(model, seller_of(provider) if provider is not None else None, start_ns, counts)


_NOTHING = Counts(None, None, None, None, None)


class _Said:
    """What the attributes and events of one span say, by field: of several the one with the lowest rank."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._notes: dict[str, tuple[int, str]] = {}
        self._implied: tuple[int, str] | None = None
        self._best: dict[Field, tuple[int, Json, Name]] = {}
        self._numbered: dict[tuple[Field, int], list[tuple[tuple[str, ...], Json]]] = {}
        attributes = span.attributes
        for key in attributes:
            rule = rule_of(key)
            if rule is not RAW:
                self._take(rule, read_value(attributes[key]))
        if span.events:
            self._read_events()

    def _take(self, rule: Rule, value: Json) -> None:
        kind, rank = rule.kind, rule.rank
        if kind == "name":
            name = rule.name
            if name.implies is not None and (self._implied is None or rank < self._implied[0]):
                self._implied = (rank, name.implies)
            self._put(rule.field, rank, value, name)
        elif kind == "own":
            self._note(rule.key, rank, value)
        elif kind == "part":
            self._numbered.setdefault((rule.field, rank), []).append((rule.part, value))
        elif kind == "keys":
            for key, inner in _object(value).items():
                if (told := rule.keys.get(key)) is not None:
                    self._put(told.field, rank, inner, told)
        elif kind == "object":
            for key, inner in _object(value).items():
                self._note(key, rank, inner)
        elif kind == "tags":
            self._note(
                "tags", rank, ", ".join(map(str, cast("list[Json]", value))) if isinstance(value, list) else value
            )

    def _put(self, field: Field, rank: int, value: Json, name: Name) -> None:
        best = self._best.get(field)
        if best is not None and rank >= best[0]:
            return
        if isinstance(value, str):
            if field not in _MESSAGES and value[:1] == '"' == value[-1:]:
                value = _unquoted(value)
            if name.values:
                value = name.values.get(value, value)
        elif name.values:
            return
        if value is not None and value != "":
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
                    if rule.kind == "name" and rule.field in _MESSAGES:
                        self._put(rule.field, rule.rank + _EVENT_RANK, read_value(attributes[key]), rule.name)
        for field, messages in gathered.items():
            self._put(field, _EVENT_RANK, messages, Name(field=field))

    def value(self, field: Field) -> Json:
        best = self._best.get(field)
        return None if best is None else best[1]

    def texts(self) -> dict[Field, str]:
        """The fields that are texts and were told."""
        found: dict[Field, str] = {}
        for field, (_, value, _) in self._best.items():
            if field in _TEXTS:
                text = value if isinstance(value, str) else _json(value) if isinstance(value, int | float) else None
                if text is not None and len(text) <= _LONGEST_TEXT:
                    found[field] = text
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
        best = self._best
        if best.keys().isdisjoint(_COUNTS):
            return _NOTHING
        count = {field: _count(best[field][1]) if field in best else None for field in _COUNTS}
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
        came, answered = self._messages("input", last=True), self._messages("output", last=False)
        if came and came[-1].role == "choice":  # one log of both
            answered = answered or [came[-1]]
            came = [message for message in came if message.role != "choice"]
        calls = self._messages("output_calls", last=False)
        texts = [message.text for message in (*answered, *calls) if message.text]
        return came[-1].text if came else "", "\n".join(texts)

    def _messages(self, field: Field, *, last: bool) -> list[Message]:
        best = self._best.get(field)
        ranks = [rank for of, rank in self._numbered if of == field] if self._numbered else ()
        if ranks and (best is None or min(ranks) < best[0]):
            return numbered(self._numbered[field, min(ranks)], last=last)
        return [] if best is None else _messages(best[1], last=last)


_MESSAGES: frozenset[Field] = frozenset({"input", "output", "output_calls"})
_TEXTS: frozenset[Field] = frozenset(
    {
        "operation",
        "step",
        "application",
        "environment",
        "release",
        "session",
        "user",
        "model_asked",
        "model",
        "provider",
        "fingerprint",
        "prompt",
        "prompt_version",
        "variant",
        "graph",
    }
)
_COUNTS: tuple[Field, ...] = (
    "input_tokens",
    "uncached_tokens",
    "output_tokens",
    "cached_tokens",
    "written_tokens",
    "reasoning_tokens",
)


def _messages(value: Json, *, last: bool = False) -> list[Message]:
    if isinstance(value, list) and value and isinstance(value[0], Message):
        return cast("list[Message]", value)
    try:
        return read_messages(value, last=last)
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
            if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and not value.startswith("unknown_service"):
                best[rule.field] = (rule.rank, value)
    return {field: value for field, (_, value) in best.items()}
