"""`boxscore traces`: what the application did, in a list, in a tree, in words and in numbers."""

import importlib

import click

COMMANDS = {
    "list": "listing",
    "show": "show",
    "search": "search",
    "tail": "tail",
    "sessions": "sessions",
    "stats": "stats",
    "score": "score",
    "export": "export",
    "import": "importing",
}
"""Name of a command and the module here that has it, imported when it is called or told of."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"boxscore.cli.traces.{COMMANDS[cmd_name]}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command


@click.group(cls=_Commands)
def traces() -> None:
    """Calls of your application, found again: newest first, as a tree, by words, in numbers.

    \b
    A FILTER is a field, an operator and a value:
      -f model=gpt-5  -f error=true  -f 'cost_usd>=0.01'  -f 'duration_ns>=2s'
      -f user=  -f metadata.tier!=gold  -f 'score.helpful>=0.8'
    Repeated, all of them have to hold. = and != take every field, the others
    numbers, money and durations; quote what the shell would read.
    """
