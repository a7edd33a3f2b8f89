"""What `init` set up, for the code that is called on every span."""

from collections.abc import Callable, Mapping

from opentelemetry import trace as otel

from boxscore.sdk.capture import Capture
from boxscore.types import Json

__all__ = ["Runtime", "runtime"]


class Runtime:
    """Before `init` the tracer is that of the application's own provider, if it has one, else one that does nothing."""

    __slots__ = ("capture", "inputs", "outputs", "scores", "tracer")

    def __init__(self) -> None:
        self.tracer: otel.Tracer = otel.get_tracer("boxscore")
        self.capture = Capture()
        self.inputs = True
        self.outputs = True
        self.scores: Callable[[Mapping[str, Json]], None] | None = None


runtime = Runtime()
