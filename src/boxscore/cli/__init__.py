"""The command line: parse, call, print. Exit codes: 0 done or ship, 1 reject, 2 usage, 3 undecided, 4 could not run."""

import importlib
import sys

import click

from boxscore import __version__
from boxscore.errors import BoxscoreError

COMMANDS = {
    "init": "boxscore.cli.init:init",
    "demo": "boxscore.cli.demo:demo",
    "compare": "boxscore.cli.compare:compare",
    "run": "boxscore.cli.run:run",
    "show": "boxscore.cli.show:show",
    "models": "boxscore.cli.models:models",
    "prices": "boxscore.cli.prices:prices",
}
"""Name to where it stands. A command is imported when it is called, so that the others cost it nothing."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or ship, 1 reject, 2 wrong input, 3 undecided, 4 could not run.",
)
@click.version_option(__version__, prog_name="boxscore")
def cli() -> None:
    """Every change to an LLM application gets a verdict: quality, dollars, latency, risk."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `boxscore` command."""
    try:
        result: object = cli.main(args=arguments, prog_name="boxscore", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("\nstopped; what came back is kept", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BoxscoreError as error:
        from boxscore.experiments.report.text import stripped

        click.echo(f"boxscore: {stripped(str(error))}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    sys.exit(result if isinstance(result, int) else 0)
