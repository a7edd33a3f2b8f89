"""Counts over time, batch by batch."""

import numpy as np

from boxscore.store.spans.parts import Batch
from boxscore.store.spans.store import Bin

__all__ = ["Steps"]


class Steps:
    """Takes batches of spans that began from start to end, gives bins of `step_ns`."""

    columns = ("start_ns", "error")
    """What a batch has to have."""

    def __init__(self, start_ns: int, end_ns: int, step_ns: int) -> None:
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._spans = np.zeros(-(-(end_ns - start_ns) // step_ns), np.int64)
        self._errors = np.zeros_like(self._spans)

    def add(self, batch: Batch) -> None:
        at = (batch["start_ns"] - self._start_ns) // self._step_ns
        self._spans += np.bincount(at, minlength=len(self._spans))
        self._errors += np.bincount(at[batch["error"] > 0], minlength=len(self._spans))

    def bins(self) -> list[Bin]:
        """Those with spans, by time."""
        return [
            Bin(
                start_ns=self._start_ns + at * self._step_ns,
                spans=int(self._spans[at]),
                errors=int(self._errors[at]),
            )
            for at in np.flatnonzero(self._spans).tolist()
        ]
