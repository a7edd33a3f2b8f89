"""A span as application code sees it: what went in and came out, the model and its tokens, scores."""

import time
from collections.abc import Mapping

from opentelemetry import trace as otel
from opentelemetry.trace import StatusCode

from boxscore.sdk.answers import answer_of, get
from boxscore.sdk.contexts import metadata_attributes
from boxscore.sdk.runtime import runtime
from boxscore.sdk.scores import Source, score
from boxscore.sdk.usage import usage_attributes
from boxscore.types import Json

__all__ = ["Span", "current_span"]


class Span:
    """The span of a `with boxscore.trace(...)` block, or the current one. Nothing here raises or waits; each method
    gives the span back, so that calls can be chained. `otel_span` is the OpenTelemetry span underneath."""

    __slots__ = ("_waits", "otel_span")

    def __init__(self, span: otel.Span = otel.INVALID_SPAN) -> None:
        self.otel_span = span
        self._waits = True

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits: what feedback that comes later is sent with."""
        return f"{self.otel_span.get_span_context().trace_id:032x}"

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""
        return f"{self.otel_span.get_span_context().span_id:016x}"

    def input(self, value: object) -> "Span":
        """What went in, as text or as anything that has a form in JSON."""
        return self._captured("boxscore.input", value)

    def output(self, value: object) -> "Span":
        """What came out."""
        return self._captured("boxscore.output", value)

    def metadata(self, **said: Json) -> "Span":
        """The application's own facts about the span; they can be filtered by."""
        self.otel_span.set_attributes(metadata_attributes(said))
        return self

    def model(self, name: str, *, provider: str | None = None, operation: str = "chat") -> "Span":
        """The model that was asked, and whom (`openai`, `anthropic`, …): with `usage`, the span has a cost."""
        self.otel_span.set_attributes({"gen_ai.operation.name": operation, "gen_ai.request.model": str(name)})
        if provider is not None:
            self.otel_span.set_attribute("gen_ai.provider.name", str(provider))
        return self

    def usage(
        self,
        usage: object = None,
        *,
        input: int | None = None,
        output: int | None = None,
        cached: int | None = None,
        reasoning: int | None = None,
    ) -> "Span":
        """Tokens of a call: numbers (`input` with the cached ones, `output` with the reasoning ones), or the `usage`
        of a provider's answer as it came (OpenAI, Anthropic, Google, and who does as they do)."""
        self.otel_span.set_attributes(
            usage_attributes(usage, input=input, output=output, cached=cached, reasoning=reasoning)
        )
        return self

    def response(self, response: object) -> "Span":
        """A provider's answer as it came: the model that answered, its tokens, and the answer as output."""
        model, usage = get(response, "model") or get(response, "model_version"), get(response, "usage")
        if isinstance(model, str):
            self.otel_span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.response.model": model})
        fingerprint = get(response, "system_fingerprint")
        if isinstance(fingerprint, str):
            self.otel_span.set_attribute("gen_ai.response.system_fingerprint", fingerprint)
        self.usage(usage if usage is not None else get(response, "usage_metadata"))
        return self.output(answer_of(response))

    def first_token(self) -> "Span":
        """The first part of a streamed answer has come. Without effect after the first time."""
        began_ns = getattr(self.otel_span, "start_time", None)
        if self._waits and began_ns is not None:
            self._waits = False
            self.otel_span.set_attribute("boxscore.time_to_first_token", (time.time_ns() - began_ns) / 1e9)
        return self

    def error(self, error: BaseException | str) -> "Span":
        """It failed, though nothing was raised through it."""
        if isinstance(error, BaseException):
            record_error(self.otel_span, error)
        else:
            self.otel_span.set_status(StatusCode.ERROR, error[:8_192])
        return self

    def score(
        self,
        name: str,
        value: float | bool | str,
        *,
        comment: str | None = None,
        source: Source = "code",
        metadata: Mapping[str, Json] | None = None,
    ) -> "Span":
        """Scores this span."""
        score(
            name, value, trace_id=self.trace_id, span_id=self.span_id, comment=comment, source=source, metadata=metadata
        )
        return self

    def _captured(self, name: str, value: object) -> "Span":
        if self.otel_span.is_recording():
            text = runtime.capture(value)
            if text is not None:
                self.otel_span.set_attribute(name, text)
        return self


def current_span() -> Span:
    """The span that is current here, whoever began it; outside of any, one that takes everything and keeps nothing."""
    return Span(otel.get_current_span())


def record_error(span: otel.Span, error: BaseException) -> None:
    """The exception as an event, and the span's status. What its text says is redacted as inputs are."""
    try:
        said = runtime.capture(str(error)) or ""
        kind = type(error).__qualname__
        span.set_status(StatusCode.ERROR, f"{kind}: {said}" if said else kind)
        span.set_attribute("error.type", kind)
        if runtime.capture.redacts:  # the stack would show the text again
            span.add_event("exception", {"exception.type": kind, "exception.message": said})
        else:
            span.record_exception(error)
    except Exception:  # noqa: BLE001, S110 - an exception whose text cannot be had: the status may be missing, no more
        pass
