"""Tools of the Model Context Protocol: what a function is to whoever may call it, and its failures."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeAlias

from boxscore.errors import BoxscoreError, ExtraMissingError

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations
except ImportError as error:
    raise ExtraMissingError("`boxscore mcp`", "mcp") from error

__all__ = ["Server", "Tools"]

Given = ParamSpec("Given")
Server: TypeAlias = "MCPServer[None]"


class Tools:
    """Adds functions to a server. Errors of the tree become errors of the tool, whose sentence the model reads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def reads(self, title: str) -> "Callable[[Callable[Given, Awaitable[str]]], Callable[Given, Awaitable[str]]]":
        return self._adder(ToolAnnotations(title=title, read_only_hint=True, open_world_hint=False))

    def writes(
        self, title: str, *, spends: bool = False
    ) -> "Callable[[Callable[Given, Awaitable[str]]], Callable[Given, Awaitable[str]]]":
        """What it writes is added, and nothing is lost by it. One that spends asks models of others."""
        return self._adder(
            ToolAnnotations(
                title=title, read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=spends
            )
        )

    def _adder(
        self, annotations: ToolAnnotations
    ) -> "Callable[[Callable[Given, Awaitable[str]]], Callable[Given, Awaitable[str]]]":
        def add(tool: Callable[Given, Awaitable[str]]) -> Callable[Given, Awaitable[str]]:
            @functools.wraps(tool)
            async def told(*given: Given.args, **named: Given.kwargs) -> str:
                try:
                    return await tool(*given, **named)
                except (BoxscoreError, ValueError) as error:
                    raise ToolError(_said(error)) from error

            said = " ".join((tool.__doc__ or "").split())
            self._server.add_tool(told, description=said, annotations=annotations, structured_output=False)
            return told

        return add


def _said(error: Exception) -> str:
    """Its sentence behind its code, which says what kind it is."""
    return f"{error.code}: {error}" if isinstance(error, BoxscoreError) else str(error)
