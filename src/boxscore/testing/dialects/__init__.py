"""The dialects that the fake server speaks, by the path that is asked."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from boxscore.testing.dialects.anthropic import AnthropicMessages, AnthropicTokenCount
from boxscore.testing.dialects.bedrock import BedrockConverse
from boxscore.testing.dialects.cohere import Cohere
from boxscore.testing.dialects.dialect import (
    SEED,
    Asked,
    Dialect,
    counted_tokens,
    question_text,
    whole_response,
    wire_text,
)
from boxscore.testing.dialects.embeddings import OpenAIEmbeddings
from boxscore.testing.dialects.gemini import Gemini
from boxscore.testing.dialects.openai_chat import OpenAIChat
from boxscore.testing.dialects.openai_responses import OpenAIResponses
from boxscore.types import Json

__all__ = ["SEED", "Asked", "Dialect", "asked_in", "counted_tokens", "question_text", "whole_response", "wire_text"]

_ROUTES: tuple[tuple[str, Dialect], ...] = (
    (r"/messages/count_tokens$", AnthropicTokenCount()),
    (r"/messages$", AnthropicMessages()),
    (r"/responses$", OpenAIResponses()),
    (r"/embeddings$", OpenAIEmbeddings()),
    (r"/models/(?P<model>[^/]+):(?:generateContent|(?P<stream>streamGenerateContent))$", Gemini()),
    (r"/model/(?P<model>.+)/converse(?P<stream>-stream)?$", BedrockConverse()),
    (r"/v2/chat$", Cohere()),
    (r"", OpenAIChat()),
)
"""Whatever no other dialect claims is taken for a chat completion. Some say in the path what others say in the body."""


def asked_in(path: str, body: Mapping[str, Json], *, number: int, seed: int = 0) -> tuple[Dialect, Asked]:
    """The dialect of a request, and what it asks."""
    dialect, found = next((dialect, found) for route, dialect in _ROUTES if (found := re.search(route, path)))
    said = found.groupdict()
    asked = Asked(
        path=path,
        body=body,
        number=number,
        seed=seed,
        stream=bool(said.get("stream") or body.get("stream")),
        model=unquote(said.get("model") or "") or str(body.get("model") or "fake"),
    )
    return dialect, asked
