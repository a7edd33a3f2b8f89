"""How comparisons leave the command line: the box score or JSON on standard output, all else on standard error."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from boxscore.cli.json_output import print_json
from boxscore.errors import FileError
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.verdict import Decision
from boxscore.writing import write_whole

EXIT: dict[Decision, int] = {"ship": 0, "reject": 1, "undecided": 3}


def print_comparisons(
    comparisons: Sequence[Comparison],
    *,
    as_json: bool,
    report: Path | None = None,
    junit: Path | None = None,
    markdown: Path | None = None,
    width: int | None = None,
) -> int:
    """Print them and give back the exit code: with several candidates that of the best verdict.

    The JSON of several is `{"verdicts": […]}`, of one the verdict itself; their reports get the candidate's place in
    the file name, while `junit` and `markdown` are one file for all.
    """
    if as_json:
        verdicts = [comparison.verdict for comparison in comparisons]
        print_json(verdicts[0] if len(verdicts) == 1 else {"verdicts": verdicts})
    else:
        for comparison in comparisons:
            print_box_score(comparison, width=width)
    if report is not None:
        for index, comparison in enumerate(comparisons):
            path = report if index == 0 else report.with_stem(f"{report.stem}-{index + 1}")
            save_report(comparison, path)
    from boxscore.experiments import report as reports  # not before the first call: it is not needed until here

    if junit is not None:
        save_text(junit, reports.junit([comparison.verdict for comparison in comparisons]))
    if markdown is not None:
        save_text(markdown, reports.markdown([(comparison.verdict, comparison.evidence) for comparison in comparisons]))
    return exit_code(comparisons)


def exit_code(comparisons: Sequence[Comparison]) -> int:
    """That of the best verdict."""
    return min((EXIT[comparison.verdict.verdict] for comparison in comparisons), key=(0, 3, 1).index)


def check_report(*paths: Path | None) -> None:
    """Refuse a report that could not be written before anything is run for it."""
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise FileError(path, "the report cannot be written: there is no such folder; make it, or name another.")


def save_text(path: Path, text: str) -> None:
    """Write a file for a machine, whole or not at all; `FileError` where that cannot be."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise FileError(path, f"it cannot be written: {error.strerror or error}.") from error


def print_box_score(comparison: Comparison, *, width: int | None = None) -> None:
    """The box score as wide as the terminal, 80 columns where there is none; coloured on a terminal alone."""
    if width is None:
        width = max(80, min(shutil.get_terminal_size((80, 24)).columns, 120)) if sys.stdout.isatty() else 80
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    from boxscore.experiments.report import terminal

    click.echo(terminal(comparison.verdict, width=width, colour=colour))


def save_report(comparison: Comparison, path: Path) -> None:
    """Write the report and say where; `FileError` where that cannot be."""
    try:
        comparison.save(path)
    except OSError as error:
        raise FileError(path, f"the report cannot be written: {error.strerror or error}.") from error
    click.echo(f"report: {path}", err=True)
