"""Prompts: messages with holes, filled from the inputs of an example."""

from boxscore.prompts.template import PromptTemplate

__all__ = ["PromptTemplate"]
