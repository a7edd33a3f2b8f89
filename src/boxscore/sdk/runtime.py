"""What `init` set up, for the code that is called on every span."""

from typing import TYPE_CHECKING

from opentelemetry import trace as otel

from boxscore.sdk.capture import Capture

if TYPE_CHECKING:  # it loads OpenTelemetry's SDK, which an application that never calls init does not need
    from boxscore.sdk.collector import Collector

__all__ = ["Runtime", "runtime"]


class Runtime:
    """Before `init` the tracer is that of the application's own provider, if it has one, else one that does nothing."""

    __slots__ = ("capture", "collector", "inputs", "outputs", "tracer")

    def __init__(self) -> None:
        self.tracer: otel.Tracer = otel.get_tracer("boxscore")
        self.capture = Capture()
        self.inputs = True
        self.outputs = True
        self.collector: Collector | None = None


runtime = Runtime()
