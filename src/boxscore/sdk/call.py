"""One traced call, from its span's start to its end. Nothing in here raises: it stands around application code."""

import time
from collections.abc import Mapping
from contextvars import Token

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.util.types import AttributeValue

from boxscore.sdk.contexts import attach, attributes_around
from boxscore.sdk.notices import tell
from boxscore.sdk.runtime import runtime
from boxscore.sdk.span import record_error

__all__ = ["Call", "begin"]

_PARTS = 20_000
_LEAVING = (GeneratorExit, SystemExit)
_OF_MODELS = frozenset({"chat", "text_completion", "generate_content"})


def begin(name: str, attributes: Mapping[str, AttributeValue], explicit: Mapping[str, AttributeValue]) -> "Call | None":
    """A call whose span has started; None where that failed. `explicit` goes before what `boxscore.context` says,
    which goes before `attributes`."""
    try:
        span = runtime.tracer.start_span(name, attributes=attributes)
        if explicit and attributes_around(None):
            span.set_attributes(explicit)
        return Call(span, name)
    except Exception as error:  # noqa: BLE001 - a sampler or a processor of the application's
        tell("start", f"span {name!r} was not started: {type(error).__name__}: {error}")
        return None


class Call:
    __slots__ = ("_around", "_attributes", "_first_s", "_parts", "_started", "keeps_output", "recording", "span")

    def __init__(self, span: otel.Span, name: str) -> None:
        self.span = span
        self.recording = span.is_recording()
        self.keeps_output = True
        self._around: Context | None = None
        self._parts: list[object] | None = None
        self._first_s: float | None = None
        self._started = time.perf_counter()

    @classmethod
    def unseen(cls) -> "Call":
        return cls(otel.INVALID_SPAN, "")

    def attach(self) -> Token[Context]:
        """Makes the span current here; `detach` ends that."""
        around = self._around
        if around is None:
            around = self._around = otel.set_span_in_context(self.span)
        return attach(around)

    def took(
        self, names: tuple[str | None, ...], rest: str, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> None:
        """The arguments."""
        if not self.recording or not runtime.inputs or not (args or kwargs):
            return
        inputs: dict[str, object] = {name: value for name, value in zip(names, args, strict=False) if name is not None}
        if len(args) > len(names):
            inputs[rest] = args[len(names) :]
        if kwargs:
            inputs.update(kwargs)
        if inputs:
            text = runtime.capture(inputs)
            if text is not None:
                self.span.set_attribute("boxscore.input", text)

    def part(self, part: object) -> None:
        """The next part of a stream."""
        if self._parts is None:
            self._parts = []
            self._first_s = time.perf_counter() - self._started
        if len(self._parts) < _PARTS:
            self._parts.append(part)

    def exhausted(self, value: object) -> None:
        """A stream ended, with this value if it is a generator with one."""
        parts = self._parts or []
        if parts and all(isinstance(part, str) for part in parts):
            value = "".join(str(part) for part in parts)
        elif parts:
            value = parts
        if self._first_s is not None and self._of_model():
            self.span.set_attribute("boxscore.time_to_first_token", self._first_s)
        self.returned(value)

    def returned(self, value: object) -> None:
        if self.recording and self.keeps_output and runtime.outputs:
            text = runtime.capture(value)
            if text is not None:
                self.span.set_attribute("boxscore.output", text)
        self._end()

    def ended(self, error: BaseException | None) -> None:
        if error is not None and self.recording and not isinstance(error, _LEAVING):
            record_error(self.span, error)
        self._end()

    def _end(self) -> None:
        try:
            self.span.end()
        except Exception as error:  # noqa: BLE001 - a processor of the application's
            tell("end", f"a span was not ended: {type(error).__name__}: {error}")

    def _of_model(self) -> bool:
        attributes = getattr(self.span, "attributes", None) or {}
        return "gen_ai.request.model" in attributes or attributes.get("boxscore.operation") in _OF_MODELS
