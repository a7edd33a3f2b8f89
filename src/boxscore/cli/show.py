"""`boxscore show`: a verdict that was reached before, with its answers side by side."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from boxscore import settings
from boxscore.cli.json_output import print_json
from boxscore.cli.output import print_box_score, save_report
from boxscore.errors import FileError
from boxscore.experiments.recall import recall
from boxscore.experiments.verdict import Pair, Side
from boxscore.text import revealed, stripped

if TYPE_CHECKING:
    from boxscore.store.records import VerdictRow


@click.command()
@click.argument("verdict_id", metavar="[ID]", required=False)
@click.option("--worse", "outcome", flag_value="worse", help="Answers that got worse, before and after.")
@click.option("--better", "outcome", flag_value="better", help="Answers that got better.")
@click.option("--tied", "outcome", flag_value="tied", help="Answers that are as right as before.")
@click.option("--errors", "outcome", flag_value="errors", help="Calls that failed, with what was said.")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the HTML report.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def show(verdict_id: str | None, outcome: str | None, report: Path | None, as_json: bool) -> int:
    """Show the verdict ID again, or list the verdicts that were reached here."""
    from boxscore.store.records import Records

    configured = settings.load()
    if configured.url:
        from boxscore.cli.remote_show import show_remotely

        show_remotely(verdict_id, outcome=outcome, report=report, as_json=as_json)
        return 0
    home = settings.home(configured)
    if configured.records_url is None and not home.is_dir():
        raise FileError(home, "there is no store here yet: the first `boxscore compare` of a spec makes one.")
    with Records.open(home, configured.records_url, project=configured.project or "default") as records:
        if verdict_id is None:
            _print_list(records.verdicts(), as_json)
            return 0
        comparison = recall(records, verdict_id)
    if report is not None:
        save_report(comparison, report)
    if outcome is None and as_json:
        click.echo(comparison.json())
    elif outcome is None:
        print_box_score(comparison)
    else:
        _print_pairs([pair for pair in comparison.evidence.pairs if _is(pair, outcome)], outcome, as_json)
    return 0


def _is(pair: Pair, outcome: str) -> bool:
    if outcome == "errors":
        return pair.baseline.error is not None or pair.candidate.error is not None
    return pair.outcome == outcome


def _print_list(verdicts: "Sequence[VerdictRow]", as_json: bool) -> None:
    if as_json:
        rows = [{"id": row.id, "verdict": row.verdict, "created_at": row.created_at} for row in verdicts]
        print_json(rows)
        return
    for row in verdicts:
        reason: str = msgspec.json.decode(row.content_json)["reason"]
        click.echo(verdict_line(row.id, row.created_at, row.verdict, reason))
    if not verdicts:
        click.echo("No verdict was reached here yet: `boxscore compare` reaches one.")


def verdict_line(id: str, created_at: datetime, verdict: str, reason: str) -> str:
    """A verdict in a list."""
    return f"{id}  {created_at:%Y-%m-%d %H:%M}  {verdict:<9}  {stripped(reason)[:90]}"


def _print_pairs(pairs: Sequence[Pair], outcome: str, as_json: bool) -> None:
    if as_json:
        print_json(pairs)
        return
    for pair in pairs:
        click.echo(click.style(f"── {stripped(pair.example_id)}", bold=True))
        for name, value in pair.inputs.items():
            click.echo(f"{stripped(name)}: {said(str(value))}")
        if pair.reference is not None:
            click.echo(f"reference: {said(str(pair.reference))}")
        _print_side("before", pair.baseline)
        _print_side("after", pair.candidate)
        click.echo()
    if not pairs:
        click.echo("No call failed." if outcome == "errors" else f"No answer is {outcome}.")


def _print_side(name: str, side: Side) -> None:
    value = "" if side.value is None else f" {side.value:g}"
    read = f" ({stripped(side.label)})" if side.label else ""
    click.echo(f"{name}{value}{read}: {said(side.error or side.output)}")
    if side.note:
        click.echo(f"  {said(side.note)}")


def said(text: str) -> str:
    """Further lines are set in: none of them can pass for a line of ours."""
    return revealed(text).replace("\n", "\n  ")
