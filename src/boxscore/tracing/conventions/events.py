"""Events of spans that carry messages, or the moment of the first token.

Source: semantic-conventions 1.26 to 1.36, `docs/gen-ai/gen-ai-events.md` (`gen_ai.content.prompt`,
`gen_ai.user.message`, `gen_ai.choice`, …), OpenInference's "First Token Stream Event", Traceloop's and Vercel's chunks,
LangChain's `new_token`.
"""

from collections.abc import Mapping
from typing import Literal

__all__ = ["CONTENT", "EVENTS"]

EVENTS: Mapping[str, Literal["input", "output", "first_token"]] = {
    "gen_ai.content.prompt": "input",
    "gen_ai.content.completion": "output",
    "gen_ai.system.message": "input",
    "gen_ai.user.message": "input",
    "gen_ai.assistant.message": "input",
    "gen_ai.tool.message": "input",
    "gen_ai.choice": "output",
    "First Token Stream Event": "first_token",
    "gen_ai.content.completion.chunk": "first_token",
    "llm.content.completion.chunk": "first_token",
    "ai.stream.firstChunk": "first_token",
    "new_token": "first_token",
}

CONTENT = ("gen_ai.prompt", "gen_ai.completion", "gen_ai.event.content", "message", "content", "tool_calls")
"""Attributes of an event that hold its message, best first."""
