"""`boxscore datasets`: the examples that everything is measured on, their versions, where they come from and go to."""

import importlib

import click

from boxscore.errors import UnknownNameError

COMMANDS = {
    "list": ("reading", "Datasets by name: examples, versions, what was done last."),
    "show": ("reading", "What a dataset can show, and its rows, found by words and fields."),
    "versions": ("reading", "The line of versions, newest first."),
    "diff": ("reading", "What differs between two versions, example by example."),
    "create": ("writing", "A dataset without a row."),
    "import": ("writing", "A version from a file, in place of all rows."),
    "add": ("writing", "A version with rows added from a file, or from traces."),
    "remove": ("writing", "A version without some rows."),
    "restore": ("writing", "An older version again, as the newest."),
    "export": ("reading", "A version as JSONL, CSV or Parquet."),
    "archive": ("writing", "Out of the list, or back; nothing is lost."),
    "delete": ("writing", "For good, with all versions."),
}
"""By name: the module here that has it, imported when it is called, and what it does."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"boxscore.cli.datasets.{COMMANDS[cmd_name][0]}")
        command = getattr(module, {"list": "list_", "import": "import_"}.get(cmd_name, cmd_name))
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UnknownNameError("command of datasets", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(cls=_Commands)
def datasets() -> None:
    """Examples to measure on, in versions that never change: of the server at BOXSCORE_URL, else of this folder.

    \b
    A version is named by its number or by its content hash:
      tickets   tickets@3   tickets@76cb34dd6b1e
    A spec names it the same way, `dataset: tickets@3`. What has a dot or a
    slash is a file.
    """
