"""Questions that wait for the tiny model: one queue and one thread per process, however many providers there are.

One thread does all arithmetic, so numpy's own threads are never started twice over; and questions that arrive together,
from whichever variant, are answered in one batch.
"""

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from threadpoolctl import ThreadpoolController

from boxscore.models.tiny.checkpoint import WEIGHTS, Checkpoint, checkpoint
from boxscore.models.tiny.generation import Answer, Question, generate
from boxscore.models.tiny.network import Network

__all__ = ["BATCH", "Queue", "queue"]

BATCH = 32
"""Questions answered together, at most."""


class _Waiting(NamedTuple):
    model: str
    question: Question
    answer: "Future[Answer]"


class Queue:
    """Answers questions to the checkpoints of one folder."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._waiting: deque[_Waiting] = deque()
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="boxscore-tiny")
        self._networks: dict[str, Network] = {}

    def checkpoint(self, model: str) -> Checkpoint:
        """Raises UnknownNameError, or FileError when the checkpoint's file is damaged."""
        return checkpoint(model, self._weights)

    async def ask(self, model: str, question: Question) -> Answer:
        waiting = _Waiting(model, question, Future())
        with self._lock:
            self._waiting.append(waiting)
        # Questions asked in the same turn of the loop are all waiting before the worker looks.
        asyncio.get_running_loop().call_soon(self._worker.submit, self._answer_some)
        return await asyncio.wrap_future(waiting.answer)

    def _answer_some(self) -> None:
        """Take the waiting questions to one model, at most `BATCH`, and answer them."""
        with self._lock:
            if not self._waiting:
                return
            model = self._waiting[0].model
            taken: list[_Waiting] = []
            left: deque[_Waiting] = deque()
            for waiting in self._waiting:
                (taken if waiting.model == model and len(taken) < BATCH else left).append(waiting)
            self._waiting = left
        taken = [waiting for waiting in taken if waiting.answer.set_running_or_notify_cancel()]
        try:
            with _one_thread():
                answers = generate(self._network(model), [waiting.question for waiting in taken])
        except Exception as error:  # noqa: BLE001 (whatever went wrong belongs to those who wait)
            for waiting in taken:
                waiting.answer.set_exception(error)
            return
        for waiting, answer in zip(taken, answers, strict=True):
            waiting.answer.set_result(answer)

    def _network(self, model: str) -> Network:
        if model not in self._networks:
            self._networks[model] = Network(self.checkpoint(model))
        return self._networks[model]


def _one_thread() -> AbstractContextManager[object]:
    """BLAS in one thread: products this small are over before a second thread wakes, and waiting for it by spinning
    took 30 times the arithmetic (measured on two cores)."""
    return _blas().limit(limits=1, user_api="blas")  # pyright: ignore[reportUnknownMemberType]


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def queue(weights: Path | None = None) -> Queue:
    """The process's queue for the checkpoints in `weights`, the ones that ship when it is None."""
    return Queue(weights or WEIGHTS)
