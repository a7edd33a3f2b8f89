"""What one request may hold, and all of them together: everything beyond is counted and named, never taken in."""

import msgspec

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Caps of one request: its `body_bytes`, decompressed, and `spans`; of one span `span_bytes`, `attributes` and
    `events`; of what spans came with, resource and scope together, `around_bytes`. Caps of all requests that wait to
    be answered: `waiting_bytes` of their bodies, `waiting_spans` that were read, and `waiting_s` since the first of
    them came."""

    body_bytes: int = 32 * 1024 * 1024
    spans: int = 10_000
    span_bytes: int = 4 * 1024 * 1024
    around_bytes: int = 64 * 1024
    attributes: int = 4_096
    events: int = 4_096
    waiting_bytes: int = 64 * 1024 * 1024
    waiting_spans: int = 20_000
    waiting_s: float = 5.0
