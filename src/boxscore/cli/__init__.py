"""The command line: parse, call, print. Exit codes: 0 done or ship, 1 reject, 2 usage, 3 undecided, 4 could not run."""

import gc
import importlib
import keyword
import os
import re
import sys
from collections.abc import Sequence

import click

from boxscore import __version__
from boxscore.errors import BoxscoreError, UnknownNameError

COMMANDS = {
    "init": "Write a spec that runs, a small dataset and a scorer of your own.",
    "demo": "Compare two models and two prompts on an embedded example, live.",
    "compare": "Say whether a change is worth it: ship, reject or undecided.",
    "run": "Run one variant over a dataset and print its numbers.",
    "import": "Carry files of promptfoo, Inspect and others over into a spec.",
    "show": "Show a verdict again, with its answers side by side.",
    "serve": "Take in spans over OTLP and answer questions about them.",
    "worker": "Do the jobs that a server was asked for.",
    "jobs": "List, follow, cancel and retry jobs.",
    "mcp": "Let a model read traces and verdicts, and ask for comparisons.",
    "datasets": "Examples to measure on, in versions: from files, by hand, from traces.",
    "traces": "Find the calls of your application again: a list, a tree, words, numbers.",
    "retain": "Remove spans by age, size and sampling, as the settings say.",
    "erase": "Erase a user, a session or a trace from every file.",
    "backup": "Copy the home while others write to it.",
    "restore": "Bring a backup back, whole or not at all.",
    "verify": "Look at every byte that is stored, and name what is damaged.",
    "migrate": "Bring the stores to the newest schema, after a backup.",
    "doctor": "Say what a person wants to know when something is wrong.",
    "users": "Add people to a server, invite them, disable them.",
    "members": "Say who may do what in a project.",
    "keys": "Make and revoke the keys of programs.",
    "project": "Make, rename and archive projects.",
    "audit": "Show who changed what, and when.",
    "providers": "List the providers that are known, and whether their keys are found.",
    "models": "List the models that are known, with today's prices.",
    "prices": "Show a price at a date; price usage; price a run again.",
}
"""Name and what it does. `boxscore.cli.NAME` has a command of that name, imported when it is called: so the others, and
the list of all, cost nothing. A name that is a word of Python has an underscore after it there."""


_BLAS = "OPENBLAS_NUM_THREADS"


class _ReaderLeftError(Exception):
    """Whoever read what is printed does so no more, as `head` when it has enough."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would leave with 1, and that means reject
            raise _ReaderLeftError from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command = getattr(importlib.import_module(f"boxscore.cli.{name}"), name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UnknownNameError("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


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
    # A command makes many objects and few cycles: collecting as often as Python does by default costs it a tenth.
    gc.set_threshold(20_000, 20, 50)
    if _BLAS not in os.environ:
        # The products in our statistics are small, and threads that wait for them spin, for a seventh of a run's CPU.
        # `os.environ` does not know of it, and what is started with that (`providers.command`) neither.
        os.putenv(_BLAS, "1")
    try:
        result: object = cli.main(args=arguments, prog_name="boxscore", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("\nstopped; what came back is kept", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BoxscoreError as error:
        from boxscore.text import stripped

        click.echo(f"boxscore: {stripped(str(error))}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo("\nstopped; what came back is kept", err=True)
        sys.exit(130)
    except _ReaderLeftError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in a buffer has somewhere to go
        sys.exit(141)
    except Exception as error:
        if isinstance(error, UnicodeEncodeError) and (unread := _no_text(sys.argv if arguments is None else arguments)):
            click.echo(f"boxscore: {unread} is no UTF-8 text: write it in UTF-8.", err=True)
            sys.exit(2)
        # Exit 1 means reject and nothing else, so a fault of ours must not leave with Python's 1.
        if os.environ.get("BOXSCORE_DEBUG"):
            raise
        click.echo(
            f"boxscore: a fault of Boxscore itself, {type(error).__name__}: {error}. BOXSCORE_DEBUG=1 shows where; "
            "please report it.",
            err=True,
        )
        sys.exit(4)
    sys.exit(result if isinstance(result, int) else 0)


def _no_text(arguments: Sequence[str]) -> str | None:
    """The first argument whose bytes were no UTF-8: Python hides them in halves of surrogate pairs."""
    return next((ascii(text) for text in arguments if not text.isascii() and _HIDDEN.search(text)), None)


_HIDDEN = re.compile("[\udc80-\udcff]")
