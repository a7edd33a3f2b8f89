"""One traced call, from its span's start to its end. Nothing in here raises: it stands around application code."""

import time
from collections.abc import Mapping
from contextvars import Token
from typing import NamedTuple

from opentelemetry import trace as otel
from opentelemetry.context import Context, get_current
from opentelemetry.util.types import AttributeValue

from boxscore.sdk.answers import whole
from boxscore.sdk.contexts import attach, attributes_around
from boxscore.sdk.notices import tell
from boxscore.sdk.runtime import runtime
from boxscore.sdk.span import record_error

__all__ = ["Call", "Naming", "begin"]

_PARTS = 20_000
_LEAVING = (GeneratorExit, SystemExit)
_OF_MODELS = frozenset({"chat", "text_completion", "generate_content"})


class Naming(NamedTuple):
    """What the spans of one function, or one block, are called. `step` is theirs where `boxscore.context` names none,
    `attributes` whatever it says."""

    name: str
    step: str | None
    attributes: Mapping[str, AttributeValue]


def begin(naming: Naming, inputs: Mapping[str, object] | None = None) -> "Call | None":
    """A call whose span has started; None where that failed."""
    try:
        around = get_current()
        span = runtime.tracer.start_span(naming.name, around)
        call = Call(span, around)
        if call.recording:
            told = call.told
            if naming.step is not None and "boxscore.step" not in attributes_around(around):
                told["boxscore.step"] = naming.step
            if naming.attributes:
                span.set_attributes(naming.attributes)
            if inputs and runtime.inputs:
                text = runtime.capture(inputs)
                if text is not None:
                    told["boxscore.input"] = text
        return call
    except Exception as error:  # noqa: BLE001 - a sampler or a processor of the application's
        tell("start", f"span {naming.name!r} was not started: {type(error).__name__}: {error}")
        return None


class Call:
    """`told` goes onto the span at its end, all at once, where the application itself has not said it."""

    __slots__ = ("_around", "_first_s", "_inside", "_parts", "keeps_output", "recording", "span", "told")

    def __init__(self, span: otel.Span, around: Context) -> None:
        self.span = span
        self.recording = span.is_recording()
        self.told: dict[str, AttributeValue] = {}
        self.keeps_output = True
        self._around = around
        self._inside: Context | None = None
        self._parts: list[object] | None = None
        self._first_s: float | None = None

    @classmethod
    def unseen(cls) -> "Call":
        return cls(otel.INVALID_SPAN, get_current())

    def attach(self) -> Token[Context]:
        """Makes the span current here; `detach` ends that."""
        inside = self._inside
        if inside is None:
            inside = self._inside = otel.set_span_in_context(self.span, self._around)
        return attach(inside)

    def part(self, part: object) -> None:
        """The next part of a stream."""
        if self._parts is None:
            self._parts = []
            self._first_s = (time.time_ns() - (getattr(self.span, "start_time", None) or time.time_ns())) / 1e9
        if len(self._parts) < _PARTS:
            self._parts.append(part)

    def exhausted(self, value: object) -> None:
        """A stream ended, with this value if it is a generator with one."""
        if self._first_s is not None and self._of_model():
            self.told["boxscore.time_to_first_token"] = self._first_s
        self.returned(whole(self._parts) if self._parts else value)

    def returned(self, value: object) -> None:
        self._keep(value)
        self._end()

    def _keep(self, value: object) -> None:
        if self.recording and self.keeps_output and runtime.outputs:
            text = runtime.capture(value)
            if text is not None:
                self.told["boxscore.output"] = text

    def ended(self, error: BaseException | None) -> None:
        if error is not None and self.recording and not isinstance(error, _LEAVING):
            record_error(self.span, error)
            if self._parts:
                self._keep(whole(self._parts))
        self._end()

    def _end(self) -> None:
        try:
            if self.told:
                for name in self._said():
                    self.told.pop(name, None)
                self.span.set_attributes(self.told)
            self.span.end()
        except Exception as error:  # noqa: BLE001 - a processor of the application's
            tell("end", f"a span was not ended: {type(error).__name__}: {error}")

    def _said(self) -> Mapping[str, AttributeValue]:
        """A copy: looking into the attributes themselves takes a lock each time."""
        attributes = getattr(self.span, "attributes", None)
        return attributes.copy() if attributes else {}

    def _of_model(self) -> bool:
        attributes = self._said()
        return "gen_ai.request.model" in attributes or attributes.get("boxscore.operation") in _OF_MODELS
