"""Scorers that read what was recorded with the answer: latency, cost, tokens."""

from typing import Literal

from boxscore.datasets.example import Example
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Cost", "Latency", "Tokens"]


class Latency:
    """Seconds until the answer was complete (`latency:first_token`: until its first token). No value where it was not
    recorded.

    Lies when answers were recorded at different times, places or loads, and when retries are inside it or left out.
    """

    def __init__(self, what: Literal["whole", "first_token"] = "whole") -> None:
        self._whole = what == "whole"
        self.spec: str = format_spec("latency", [] if self._whole else [what])
        self.metric: Metric = Metric(
            name="latency" if self._whole else "first_token_latency", kind="amount", better="lower", unit="s"
        )

    def score(self, example: Example, response: Response) -> Score:
        return Score(value=response.latency_s if self._whole else response.first_token_s)


class Cost:
    """US dollars of the answer, as computed from its usage or as recorded. No value where it is not known.

    Lies when prices changed between two recordings, and when a cached prefix made the second variant cheap: compare
    costs of fresh runs, or price both at one date.
    """

    def __init__(self) -> None:
        self.spec: str = "cost"
        self.metric: Metric = Metric(name="cost", kind="amount", better="lower", unit="USD")

    def score(self, example: Example, response: Response) -> Score:
        return Score(value=None if response.cost_usd is None else float(response.cost_usd), note=response.price)


class Tokens:
    """Tokens that the provider counted: of the answer (`tokens` or `tokens:output`), of the question (`tokens:input`),
    or of thinking (`tokens:reasoning`). No value where they were not reported.

    Lies across model families: each cuts text into tokens of its own, so that more tokens need not be more text.
    """

    def __init__(self, which: Literal["output", "input", "reasoning"] = "output") -> None:
        self._which = which
        self.spec: str = format_spec("tokens", [] if which == "output" else [which])
        name = "tokens" if which == "output" else f"{which}_tokens"
        self.metric: Metric = Metric(name=name, kind="amount", better="lower", unit="tokens")

    def score(self, example: Example, response: Response) -> Score:
        usage = response.usage
        if usage is None:
            return Score(value=None)
        counts = {
            "output": usage.output_tokens,
            "input": usage.input_tokens,
            "reasoning": usage.output_reasoning_tokens,
        }
        count = counts[self._which]
        return Score(value=None if count is None else float(count))
