"""The tiny model as a provider. numpy is loaded with the first request."""

import math
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from boxscore.errors import ProviderError, UnknownNameError
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, Usage
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.models.tiny.checkpoint import Checkpoint
    from boxscore.models.tiny.generation import Question

__all__ = ["MODELS", "TinyProvider"]

MODELS = ("tiny-1", "tiny-2")
"""The checkpoints that ship, the weaker first."""

DEFAULT_MAX_TOKENS = 64
_MARKS = {"system": 2, "user": 3, "assistant": 4}
_ASSISTANT = _MARKS["assistant"]
_PARAMS = ("max_tokens", "seed", "temperature")


class TinyProvider:
    """Answers from the embedded model: no key, no network, no torch.

    `request.model` is one of `MODELS`. Parameters: `temperature` (default 0, greedy), `max_tokens` (default 64), `seed`
    (with a temperature: the same seed and prompt give the same answer; without a seed each answer is drawn afresh).
    The response's `fingerprint` is the SHA-256 of the checkpoint, `latency_s` the wait in the queue and the computing.
    """

    name = "tiny"

    def __init__(self, weights: Path | None = None) -> None:
        """`weights` is a folder with manifest, tokenizer and checkpoints, in place of the ones that ship."""
        self._weights = weights

    def where(self, model: str) -> str | None:
        """The hash of the checkpoint: a model that was trained again is another one."""
        from boxscore.models.tiny.checkpoint import WEIGHTS, manifest

        return manifest(self._weights or WEIGHTS).checkpoints.get(model)

    async def complete(self, request: Request) -> Response:
        """Answer one request. Raises UnknownNameError, FileError (damaged weights), or ProviderError `refused`."""
        from boxscore.models.tiny.queue import queue

        began = time.perf_counter()
        if self._weights is None and request.model not in MODELS:
            raise UnknownNameError("tiny model", request.model, MODELS)
        line = queue(self._weights)
        checkpoint = line.checkpoint(request.model)
        question = self._question(checkpoint, request)
        answer = await line.ask(request.model, question)
        took = time.perf_counter() - began
        n_in, n_out = len(question.ids), len(answer.ids) + answer.stopped
        return Response(
            output=checkpoint.tokenizer.decode(answer.ids),
            finish_reason="stop" if answer.stopped else "length",
            model=request.model,
            provider=self.name,
            fingerprint=checkpoint.sha256,
            usage=Usage(input_tokens=n_in, output_tokens=n_out),
            usage_raw={"prompt_tokens": n_in, "completion_tokens": n_out, "total_tokens": n_in + n_out},
            latency_s=took,
        )

    async def close(self) -> None:
        """Nothing to let go: the thread that computes is the process's, and idle."""

    def _question(self, checkpoint: "Checkpoint", request: Request) -> "Question":
        from boxscore.models.tiny.generation import Question

        if request.tools or request.output_schema is not None:
            raise self._refused("it knows neither tools nor output schemas; take them out of the request.")
        unknown = sorted(set(request.params) - set(_PARAMS))
        if unknown:
            raise self._refused(f"it does not know the parameter {unknown[0]!r}; it knows {', '.join(_PARAMS)}.")
        temperature = self._number(request, "temperature", 0.0, low=0.0)
        max_tokens = int(self._number(request, "max_tokens", DEFAULT_MAX_TOKENS, low=1, whole=True))
        seed = int(self._number(request, "seed", secrets.randbits(63), low=-math.inf, whole=True))
        ids: list[int] = []
        for message in request.messages:
            if message.role not in _MARKS:
                raise self._refused(f"it does not know the role {message.role!r}; it knows {', '.join(_MARKS)}.")
            ids.append(_MARKS[message.role])
            ids.extend(checkpoint.tokenizer.encode(self._text(message)))
        ids.append(_ASSISTANT)
        if len(ids) + max_tokens > checkpoint.context:
            raise self._refused(
                f"the prompt has {len(ids)} tokens and {max_tokens} are kept for the answer, but {request.model} holds "
                f"{checkpoint.context} in all; shorten the prompt or lower max_tokens."
            )
        return Question(ids=tuple(ids), max_tokens=max_tokens, temperature=temperature, seed=seed)

    def _number(self, request: Request, name: str, default: float, *, low: float, whole: bool = False) -> float:
        value = request.params.get(name)
        if value is None:
            return default
        wanted = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted) or not low <= value < math.inf:
            what = "a whole number" if whole else "a number"
            raise self._refused(f"{name} must be {what}{f' from {low:g}' if low > -math.inf else ''}, not {value!r}.")
        return value

    def _text(self, message: Message) -> str:
        content: Json = message.content
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            parts = cast("list[Json]", content)
            texts = [cast("dict[str, Json]", part).get("text") for part in parts if isinstance(part, dict)]
            strings = [text for text in texts if isinstance(text, str)]
            if len(strings) == len(parts):
                return "".join(strings)
        raise self._refused(f"it reads text only, and the {message.role} message holds something else.")

    def _refused(self, problem: str) -> ProviderError:
        return ProviderError("refused", problem, provider=self.name, status=400)
