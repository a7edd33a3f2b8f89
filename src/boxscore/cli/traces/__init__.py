"""`boxscore traces`: what the application did, in a list, in a tree, in words and in numbers."""

import importlib

import click

from boxscore.errors import UnknownNameError

COMMANDS = {
    "list": ("listing", "The newest traces: when, what, how long, what it cost."),
    "show": ("show", "One trace as a tree, as a conversation, or one span of it whole."),
    "search": ("search", "Spans by the words in what was asked and answered."),
    "tail": ("tail", "New traces as they come."),
    "sessions": ("sessions", "The latest conversations, or what was said in one."),
    "stats": ("stats", "Numbers over time, by model or another field."),
    "score": ("score", "Keep what you think of a trace beside it."),
    "export": ("export", "Write spans to a file: JSONL, CSV, Parquet, OTLP."),
    "import": ("importing", "Take in the spans of an OTLP file."),
}
"""By name: the module here that has it, imported when it is called, and what it does."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"boxscore.cli.traces.{COMMANDS[cmd_name][0]}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UnknownNameError("command of traces", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


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
