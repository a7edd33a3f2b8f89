"""The dialects that the fake server speaks, by the path that is asked."""

from boxscore.testing.dialects.dialect import Asked, Dialect, Left, question_text, whole_response, wire_text
from boxscore.testing.dialects.openai_chat import OpenAIChat

__all__ = ["Asked", "Dialect", "Left", "dialect_of", "question_text", "whole_response", "wire_text"]

_CHAT = OpenAIChat()


def dialect_of(path: str) -> Dialect:
    """Whatever no other dialect claims is taken for a chat completion."""
    return _CHAT
