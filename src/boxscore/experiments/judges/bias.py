"""What is known to pull judges off their question: place, length, and a liking for their own kind."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

FEWEST = 20
"""Answers below which no correlation is told."""

_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"gpt|chatgpt|o[1-9](?![a-z0-9])|davinci|codex", "OpenAI"),
    (r"claude", "Anthropic"),
    (r"gemini|gemma|palm", "Google"),
    (r"mistral|mixtral|ministral|magistral|codestral|pixtral", "Mistral"),
    (r"llama", "Meta"),
    (r"qwen|qwq", "Qwen"),
    (r"deepseek", "DeepSeek"),
    (r"command", "Cohere"),
    (r"grok", "xAI"),
    (r"phi", "Phi"),
    (r"nova", "Amazon"),
    (r"kimi", "Moonshot"),
    (r"glm", "Zhipu"),
    (r"tiny-\d", "the embedded models"),
)


class Order(NamedTuple):
    """Pairs asked in both orders, and what became of the verdict when the answers changed places."""

    pairs: int
    disagreed: int
    first_favoured: int
    second_favoured: int


def order(votes: Sequence[tuple[float, float]]) -> Order:
    """From one entry per pair: the share that the candidate got when it stood first, and when it stood second. Where
    they differ, the higher share tells which place was favoured."""
    return Order(
        pairs=len(votes),
        disagreed=sum(first != second for first, second in votes),
        first_favoured=sum(first > second for first, second in votes),
        second_favoured=sum(first < second for first, second in votes),
    )


def length_correlation(gains: Sequence[float], longer: Sequence[int]) -> float | None:
    """Pearson's r between the gain in score and the gain in characters, candidate over baseline, one entry per pair of
    answers. None for fewer than `FEWEST`, and where nothing varies."""
    if len(gains) < FEWEST:
        return None
    import numpy as np

    x, y = np.asarray(gains, dtype=np.float64), np.asarray(longer, dtype=np.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = math.sqrt(float((x**2).sum()) * float((y**2).sum()))
    return max(-1.0, min(1.0, float((x * y).sum()) / scale)) if scale > 0 else None


def family(model: str | None) -> str | None:
    """Who made the model, as far as its name tells."""
    name = (model or "").lower()
    for pattern, maker in _FAMILIES:
        if re.search(rf"(?<![a-z]){'(?:' + pattern + ')'}", name):
            return maker
    return None
