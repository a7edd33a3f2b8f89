"""OpenAI's embeddings. Vectors are made of the words, so that texts with common words are near each other."""

import base64
import math
import re
import struct
import zlib
from collections.abc import Iterator
from typing import cast

from boxscore.providers.response import Response
from boxscore.testing.dialects.dialect import Asked, tokens
from boxscore.testing.dialects.openai_chat import OpenAI
from boxscore.types import Json

_DIMENSIONS = 64


class OpenAIEmbeddings(OpenAI):
    """Of a script only faults and raw bodies matter."""

    def whole(self, asked: Asked, said: Response) -> Json:
        given = asked.body.get("input", "")
        texts = cast("list[Json]", given) if isinstance(given, list) else [given]
        if texts and isinstance(texts[0], int):  # one text as tokens
            texts = [texts]
        size = asked.body.get("dimensions") or _DIMENSIONS
        vectors = [embedding(text if isinstance(text, str) else str(text), size) for text in texts]
        coded = asked.body.get("encoding_format") == "base64"
        sent = sum(tokens(text) if isinstance(text, str) else len(text) for text in texts)
        return {
            "object": "list",
            "model": said.model,
            "data": [
                {"object": "embedding", "index": index, "embedding": _base64(vector) if coded else vector}
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": sent, "total_tokens": sent},
        }

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        yield from ()


def embedding(text: str, size: int = _DIMENSIONS) -> list[float]:
    """A vector of length 1: every word adds to one place, or takes away from it."""
    vector = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        mark = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        vector[mark % size] += 1.0 if mark >> 31 else -1.0
    length = math.hypot(*vector)
    return [part / length for part in vector] if length else [1.0] + [0.0] * (size - 1)


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
