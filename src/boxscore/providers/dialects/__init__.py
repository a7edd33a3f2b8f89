"""Dialects: the wire formats of the providers, one file each."""

from importlib import import_module

from boxscore.providers.dialects.dialect import Assembly, Dialect, Event, Framing
from boxscore.providers.dialects.framing import Decoder, decoder

__all__ = ["DIALECTS", "Assembly", "Decoder", "Dialect", "Event", "Framing", "decoder", "dialect"]

DIALECTS = {
    "chat": "openai_chat:OpenAIChat",
    "mistral": "openai_chat:Mistral",
    "responses": "openai_responses:OpenAIResponses",
    "messages": "anthropic:Anthropic",
    "gemini": "gemini:Gemini",
    "converse": "bedrock:Bedrock",
    "cohere": "cohere:Cohere",
}
"""By the name that a spec's `api` calls them, where they are."""


def dialect(name: str) -> Dialect:
    """The dialect of that name, one of `DIALECTS`; only its own file is loaded."""
    module, _, kind = DIALECTS[name].partition(":")
    found: Dialect = getattr(import_module(f"{__name__}.{module}"), kind)()
    return found
