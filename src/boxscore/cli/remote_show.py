"""`boxscore show` of a verdict that a server keeps."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, cast

import click

from boxscore.cli.json_output import print_json
from boxscore.cli.output import print_box_score, save_text
from boxscore.cli.show import said, verdict_line
from boxscore.client import Client
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.report.pair_lines import PairLine, PairSide
from boxscore.experiments.verdict import Evidence
from boxscore.text import stripped

SHOWN = 100


def show_remotely(verdict_id: str | None, *, outcome: str | None, report: Path | None, as_json: bool) -> None:
    """Shows the verdict, or lists those that were reached, of the server at BOXSCORE_URL."""
    with Client() as client:
        if verdict_id is None:
            _list(client, as_json)
            return
        verdict = client.comparison(verdict_id)
        if report is not None:
            save_text(report, client.comparison_report(verdict_id).decode())
            click.echo(f"report: {report}", err=True)
        if outcome is None:
            comparison = Comparison(verdict, Evidence())
            click.echo(comparison.json()) if as_json else print_box_score(comparison)
            return
        wanted = cast('Literal["worse", "better", "tied"] | None', None if outcome == "errors" else outcome)
        pairs = client.each(client.comparison_pairs, verdict_id, outcome=wanted)
        _pairs((pair for pair in pairs if wanted or pair.baseline.error or pair.candidate.error), outcome, as_json)


def _list(client: Client, as_json: bool) -> None:
    entries = client.comparisons(limit=SHOWN).items
    if as_json:
        rows = [{"id": one.id, "verdict": one.verdict, "created_at": one.created_at} for one in entries]
        print_json(rows)
        return
    for one in entries:
        click.echo(verdict_line(one.id, one.created_at, one.verdict, "".join(phrase.text for phrase in one.said)))
    if not entries:
        click.echo(f"No verdict was reached at {client.url} yet: `boxscore compare --server` reaches one.")


def _pairs(pairs: Iterable[PairLine], outcome: str, as_json: bool) -> None:
    if as_json:
        print_json(list(pairs))
        return
    any_shown = False
    for pair in pairs:
        any_shown = True
        click.echo(click.style(f"── {stripped(pair.example_id)}", bold=True))
        click.echo(said(pair.question))
        if pair.reference is not None:
            click.echo(f"reference: {said(pair.reference)}")
        _side("before", pair.baseline)
        _side("after", pair.candidate)
        click.echo()
    if not any_shown:
        click.echo("No call failed." if outcome == "errors" else f"No answer is {outcome}.")


def _side(name: str, side: PairSide) -> None:
    value = "" if side.value is None else f" {side.value:g}"
    answer = "".join(piece.text for piece in side.pieces) + ("…" if side.cut else "")
    click.echo(f"{name}{value}: {said(side.error or answer)}")
    if side.note:
        click.echo(f"  {said(side.note)}")
