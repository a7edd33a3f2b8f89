"""What one request may hold: everything beyond is counted and named, never taken in."""

import msgspec

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Caps of one request. `spans` of a request; `span_bytes`, `attributes` and `events` of one span; `around_bytes` of
    what spans came with, resource and scope together."""

    spans: int = 10_000
    span_bytes: int = 4 * 1024 * 1024
    around_bytes: int = 64 * 1024
    attributes: int = 4_096
    events: int = 4_096
