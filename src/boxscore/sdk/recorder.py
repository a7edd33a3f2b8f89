"""A double for the server: what would have been sent is kept in memory, for tests of traced code."""

from collections.abc import Mapping, Sequence
from types import TracebackType

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from boxscore.sdk.contexts import attributes_around
from boxscore.sdk.runtime import runtime
from boxscore.types import Json

__all__ = ["SpanRecorder"]


class SpanRecorder(SpanProcessor):
    """Inside its `with` block, spans of `boxscore.trace` and scores come here and nowhere else; no `init` is needed.
    Spans of instrumentors are recorded once they are given `provider`.

    >>> import boxscore
    >>> with SpanRecorder() as recorder:
    ...     boxscore.trace(len)("four")
    4
    >>> recorder.spans[0].name, recorder.spans[0].attributes["boxscore.output"]
    ('len', '4')
    """

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.scores: list[Mapping[str, Json]] = []
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self)

    def named(self, name: str) -> Sequence[ReadableSpan]:
        """The spans of this name that have ended, in the order of their ends."""
        return [span for span in self.spans if span.name == name]

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attributes(attributes_around(parent_context))

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def score(self, score: Mapping[str, Json]) -> None:
        self.scores.append(score)

    def __enter__(self) -> "SpanRecorder":
        self._before = (runtime.tracer, runtime.scores)
        runtime.tracer, runtime.scores = self.provider.get_tracer("boxscore"), self.score
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        runtime.tracer, runtime.scores = self._before
