"""The `length` scorer: is the answer as long as it may be, or how long is it?"""

import re
from typing import Literal

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Length", "count_words"]

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+(?:[-'’.]\w+)*")


def count_words(text: str) -> int:
    """Runs of letters and digits, with hyphens, apostrophes and points inside; each Chinese or Japanese character."""
    return sum(1 for _ in _WORD.finditer(text))


class Length:
    """The answer's length lies within limits: `length:words,max=50`, `length:chars,min=1,max=280`,
    `length:tokens,max=200`. Without a limit the length itself is the score, an amount of which less is better.

    Words are runs of letters and digits (each Chinese or Japanese character counts as one); characters are counted
    without blanks at the ends; tokens are those that the provider counted, and there is no value where it did not.

    Lies about substance: short is not terse. Tokens differ between model families, so limit words or characters when
    you compare families.
    """

    def __init__(
        self,
        unit: Literal["words", "chars", "tokens"] = "words",
        *,
        min: int | None = None,
        max: int | None = None,
    ) -> None:
        if (min is not None and min < 0) or (max is not None and max < (min or 0)):
            raise ScorerError("length", f"no length lies between min={min} and max={max}")
        self._unit, self._min, self._max = unit, min, max
        self._limited = min is not None or max is not None
        self.spec: str = format_spec("length", [unit], {"min": min, "max": max})
        self.metric: Metric = (
            Metric(name="length") if self._limited else Metric(name=unit, kind="amount", better="lower", unit=unit)
        )

    def score(self, example: Example, response: Response) -> Score:
        count = self._count(response)
        if count is None:
            return Score(value=None, note="tokens were not recorded")
        label = f"{count} {self._unit}"
        if not self._limited:
            return Score(value=float(count), label=label)
        fits = (self._min is None or count >= self._min) and (self._max is None or count <= self._max)
        return Score(value=float(fits), label=label)

    def _count(self, response: Response) -> int | None:
        if self._unit == "words":
            return count_words(response.output)
        if self._unit == "chars":
            return len(response.output.strip())
        return response.usage.output_tokens if response.usage else None
