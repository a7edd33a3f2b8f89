"""A production of spans: seeded, with system prompts and documents that come back and known shares of every value.

Five spans a trace (agent, retrieval, chat, tool, chat), twenty applications of one system prompt each, document chunks
that come back, the rest fresh words of a Zipf distribution. Real text differs; bytes are indicative.
"""

import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from boxscore.store.spans import SpanRow

APPLICATIONS, CHUNKS, WORDS = 20, 400, 20_000
START_NS = 1_790_000_000 * 10**9
STEP_NS = 3_000_000
MODELS = ("gpt-large", "gpt-mini", "claude-large", "claude-mini", "gemini", "llama", "qwen", "mistral")
SHARES = (("half", 0.5), ("tenth", 0.1), ("thousandth", 0.001))
"""Values that text fields of traces have, and how often; the rest has `other`."""
PLANTED = ("environment", "release", "prompt", "prompt_version", "variant", "fingerprint")
"""Fields whose values are those, each drawn by itself."""


class Texts:
    """Words of a Zipf distribution, and texts that come back."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [1 / (place + 3) for place in range(len(letters))]
        words = ["".join(draw.choices(letters, weights, k=draw.randint(2, 10))) for _ in range(WORDS)]
        self._stream = draw.choices(words, [1 / (rank + 5) for rank in range(WORDS)], k=1_000_000)
        self.words: Sequence[str] = words
        self.prompts = [f"You answer for application {n}. {self.text(draw, 120)}" for n in range(APPLICATIONS)]
        self.chunks = [[self.text(draw, 65) for _ in range(CHUNKS)] for _ in range(APPLICATIONS)]

    def text(self, draw: random.Random, words: int) -> str:
        start = draw.randrange(len(self._stream) - words)
        return " ".join(self._stream[start : start + words])


def generate(
    traces: int, *, seed: int = 1, start_ns: int = START_NS, step_ns: int = STEP_NS
) -> Iterator[list[SpanRow]]:
    """Traces of five spans, which begin `step_ns` apart. `raw` has the size and the repetitions of an OTLP span: ids,
    names and messages as JSON."""
    texts = Texts(1)
    draw = random.Random(seed + 1)
    for n in range(traces):
        application = n % APPLICATIONS
        question, answer = texts.text(draw, draw.randint(20, 140)), texts.text(draw, draw.randint(40, 160))
        found = [draw.choice(texts.chunks[application]) for _ in range(3)]
        tool = texts.text(draw, draw.randint(15, 80))
        asked = [["system", texts.prompts[application]], ["user", question], ["context", *found]]
        model = MODELS[min(int(draw.expovariate(0.6)), len(MODELS) - 1)]
        failed = draw.random() < 0.02
        shared: dict[str, Any] = {
            "trace_id": draw.randbytes(16),
            "application": f"application-{application}",
            "session": f"conversation-{seed}-{n // 3:08}",
            "user": f"user-{int(20_000 * draw.random() ** 2)}",
            "resource": f"service.name=application-{application};telemetry.sdk.language=python".encode(),
            "scope": b"generated/1.0",
        }
        shared |= {field: _planted(draw) for field in PLANTED}
        metadata = {"tenant": _planted(draw), "experiment": str(n // 20 % 12), "order": f"{seed}-{n}"}
        parts: list[tuple[str, str, object, dict[str, Any]]] = [
            ("agent", "invoke_agent", [question, answer], {"metadata": metadata, "error": failed}),
            ("retrieval", "retrieval", [question, found], {}),
            ("chat", "chat", asked, {"input_text": question, "output_text": tool}),
            ("tool", "execute_tool", [tool], {"error": failed}),
            ("chat", "chat", [*asked, ["tool", tool], answer], {"input_text": tool, "output_text": answer}),
        ]
        ids = [draw.randbytes(8) for _ in parts]
        rows: list[SpanRow] = []
        for place, (name, operation, content, more) in enumerate(parts):
            fields = shared | more
            if operation == "chat":
                fields |= {
                    "model": model,
                    "provider": "openai",
                    "input_tokens": draw.randint(500, 2000),
                    "output_tokens": draw.randint(50, 300),
                    "cost_usd": Decimal(draw.randint(100, 90_000)).scaleb(-8),
                    "price": f"{model}/2026-01",
                    "first_token_ns": draw.randint(10**8, 10**9),
                }
            raw = (
                shared["trace_id"]
                + ids[place]
                + json.dumps({"name": name, "model": model, "content": content}).encode()
            )
            rows.append(
                SpanRow(
                    span_id=ids[place],
                    parent_id=ids[0] if place else None,
                    entry=place == 0,
                    name=name,
                    operation=operation,
                    step=name,
                    start_ns=start_ns + (n * 5 + place) * step_ns,
                    duration_ns=draw.randint(10**6, 5 * 10**9),
                    raw=raw,
                    **fields,
                )
            )
        yield rows


def batches(spans: int, size: int, **how: int) -> Iterator[list[SpanRow]]:
    """The load in requests of `size` spans; `how` as for `generate`."""
    batch: list[SpanRow] = []
    for trace in generate(spans // 5, **how):
        batch += trace
        while len(batch) >= size:
            yield batch[:size]
            batch = batch[size:]
    if batch:
        yield batch


def _planted(draw: random.Random) -> str:
    at = draw.random()
    for value, share in SHARES:
        at -= share
        if at < 0:
            return value
    return "other"
