"""Ids of traces and spans, from a source of their own."""

import os
import random

from opentelemetry.sdk.trace.id_generator import IdGenerator

__all__ = ["Ids"]


class Ids(IdGenerator):
    """Random ids that `random.seed()` does not touch: applications seed the module's generator, often with the same
    number in each of their processes, and traces of two processes must not get one id."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A new beginning, as a process needs that was forked."""
        self._bits = random.Random(os.urandom(32)).getrandbits

    def generate_span_id(self) -> int:
        return self._bits(64) or 1

    def generate_trace_id(self) -> int:
        return self._bits(128) or 1

    def is_trace_id_random(self) -> bool:
        return True
