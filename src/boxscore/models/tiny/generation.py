"""Answers from the network: batches of prompts, greedy or sampled, each row as if it were alone.

A row's random numbers depend on its seed, its prompt and the step alone, never on its neighbours in the batch.
Floating-point sums may differ in the last bits with the size of a batch, as in every BLAS; an answer can change by
that only where two tokens are as good as tied.
"""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from boxscore.models.tiny.network import Cache, Network
from boxscore.models.tiny.tokenizer import SPECIALS

__all__ = ["END", "Answer", "Question", "generate"]

END = SPECIALS.index("<|end|>")
_FORBIDDEN = [at for at in range(len(SPECIALS)) if at != END]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as ids. `max_tokens` bounds the answer; temperature 0 is greedy, else `seed` decides."""

    ids: tuple[int, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Ids without the end mark; `stopped` says whether the model came to its end by itself."""

    ids: tuple[int, ...]
    stopped: bool


def generate(network: Network, questions: Sequence[Question]) -> list[Answer]:
    """Answer all questions together. Prompt and answer of each must fit into the network's context."""
    if not questions:
        return []
    lengths = np.array([len(question.ids) for question in questions])
    prompts = np.zeros((len(questions), int(lengths.max())), np.int64)
    for row, question in enumerate(questions):
        prompts[row, : len(question.ids)] = question.ids
    capacity = max(len(question.ids) + question.max_tokens for question in questions)
    cache = Cache(network, len(questions), capacity)
    said: list[list[int]] = [[] for _ in questions]
    stopped = [False] * len(questions)
    open_rows = np.arange(len(questions))
    logits = network.read(prompts, lengths, cache)
    at = lengths
    while True:
        chosen = np.array(
            [_choose(logits[n], questions[row], len(said[row])) for n, row in enumerate(open_rows.tolist())]
        )
        going: list[int] = []
        for n, row in enumerate(open_rows.tolist()):
            if chosen[n] == END:
                stopped[row] = True
                continue
            said[row].append(int(chosen[n]))
            if len(said[row]) < questions[row].max_tokens:
                going.append(n)
        if not going:
            break
        if len(going) < len(open_rows):
            rows = np.array(going)
            open_rows, chosen, at = open_rows[rows], chosen[rows], at[rows]
            cache.keep(rows)
        logits = network.step(chosen, at, cache)
        at = at + 1
    return [Answer(ids=tuple(ids), stopped=end) for ids, end in zip(said, stopped, strict=True)]


def _choose(logits: NDArray[np.float32], question: Question, step: int) -> int:
    """The best token, or one drawn by the Gumbel-max rule: softmax sampling without a normalised sum."""
    scores = logits.astype(np.float64)
    scores[_FORBIDDEN] = -np.inf
    if question.temperature > 0:
        scores = scores / question.temperature - np.log(-np.log(_uniform(question, step, len(scores))))
    return int(scores.argmax())


def _uniform(question: Question, step: int, n: int) -> NDArray[np.float64]:
    """`n` numbers between 0 and 1, both excluded, fixed by seed, prompt and step."""
    told = ",".join(map(str, (question.seed, step, *question.ids)))
    key = int.from_bytes(hashlib.blake2b(told.encode(), digest_size=16).digest(), "little")
    raw = np.asarray(np.random.Philox(key=key).random_raw(n), np.uint64)
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
