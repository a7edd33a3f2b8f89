"""What applications import: spans, what is known around them, scores, and the road to the server.

Nothing here raises into the application or keeps it waiting (`flush` apart, which is asked to).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from boxscore.sdk.contexts import context
from boxscore.sdk.decorator import trace
from boxscore.sdk.parcel import Counts
from boxscore.sdk.scores import score
from boxscore.sdk.span import Span, current_span

__all__ = ["Counts", "Span", "SpanRecorder", "context", "counts", "current_span", "flush", "init", "score", "trace"]

if TYPE_CHECKING:
    from boxscore.sdk.recorder import SpanRecorder
    from boxscore.sdk.setup import counts, flush, init


def __getattr__(name: str) -> object:
    """What loads OpenTelemetry's SDK comes when it is asked for: decorated code may never be."""
    home = {"SpanRecorder": "recorder", "counts": "setup", "flush": "setup", "init": "setup"}.get(name)
    if home is None:
        raise AttributeError(f"module 'boxscore.sdk' has no attribute {name!r}")
    found: object = getattr(import_module(f"boxscore.sdk.{home}"), name)
    globals()[name] = found
    return found
