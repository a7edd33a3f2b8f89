"""What the server counts of its own doing."""

from collections import Counter

from boxscore.errors import BoxscoreError

__all__ = ["Meters"]


class Meters:
    """Counters since the start. For the event loop's thread alone."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        """By kind of door (otlp_http, otlp_grpc, api, other) and status."""
        self.refusals: Counter[str] = Counter()
        """Requests with spans that were not taken, by the error's code, and its kind where it has one."""
        self.open = 0
        """Requests under way."""

    def refused(self, error: BoxscoreError) -> None:
        kind = getattr(error, "kind", None)
        self.refusals[kind if isinstance(kind, str) else error.code] += 1
