"""`boxscore mcp`."""

import click


@click.command()
def mcp() -> None:
    """Let a model read traces, datasets and verdicts, and ask for comparisons.

    It is a server of the Model Context Protocol on standard input and output, which editors and agents start.

    It asks the server at BOXSCORE_URL with the rights of BOXSCORE_API_KEY, or the one that serves this folder. Needs
    the extra `mcp`.
    """
    from boxscore.mcp.server import serve_stdio

    serve_stdio()
