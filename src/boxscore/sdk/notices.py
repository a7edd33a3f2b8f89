"""What the SDK has to tell: one line in the log, and not again for a while."""

import logging
import time
from contextlib import suppress

__all__ = ["tell"]

_log = logging.getLogger("boxscore.sdk")
_AGAIN_S = 60.0
_told: dict[str, float] = {}


def tell(topic: str, text: str, *, level: int = logging.WARNING) -> None:
    """Logs `text` unless something of the same topic was told within a minute. Never raises."""
    now = time.monotonic()
    if now - _told.get(topic, -_AGAIN_S) < _AGAIN_S:
        return
    _told[topic] = now
    with suppress(Exception):  # a handler of the application's failed, and there is nowhere else to say so
        _log.log(level, "%s", text)
