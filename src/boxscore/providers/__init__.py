"""Providers: what answers requests, and the one way out to the network."""

from boxscore.providers.request import Message, Provider, Request
from boxscore.providers.response import ErrorInfo, Response, ToolCall, Usage

__all__ = ["ErrorInfo", "Message", "Provider", "Request", "Response", "ToolCall", "Usage"]
