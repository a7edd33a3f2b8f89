"""`boxscore demo`: the main job on an embedded example, live."""

import contextlib
import os
import sys
import time
import webbrowser
from pathlib import Path

import click

from boxscore import settings
from boxscore.cli.output import check_report, print_comparisons, save_report
from boxscore.cli.progress import show_progress
from boxscore.datasets import Dataset
from boxscore.datasets.dataset import version_of
from boxscore.datasets.tickets import DEMO_SEED, tickets
from boxscore.errors import ConflictError
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.live import Effort, compare_variants
from boxscore.experiments.rule import make_rule
from boxscore.experiments.variants import PromptVariant
from boxscore.models.tiny import PROMPTS, TinyProvider
from boxscore.providers.request import Message
from boxscore.scoring import make_scorers

PROJECT = "demo"
TICKETS = 300
BASELINE = "tiny-1, short prompt"
CANDIDATES = ("tiny-1, precise prompt", "tiny-2, short prompt", "tiny-2, precise prompt")


@click.command()
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), default=Path("boxscore-report.html"),
              show_default=True, help="Where the HTML report goes.")  # fmt: skip
@click.option("--serve/--no-serve", default=True, show_default=True, help="End in the running server, until Ctrl-C.")
@click.option("--port", default=8400, show_default=True, help="Port of the server; another one where it is taken.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON to standard output.")
def demo(report: Path, serve: bool, port: int, as_json: bool) -> int:
    """Compare two checkpoints of the embedded model and two prompts on 300 support tickets, live.

    No key, no network: a small real model inside Boxscore writes every answer. The verdict is on the whole step, new
    model and new prompt; each half of it is shown beside. Then a support desk goes on answering tickets with the same
    models, and the server shows its traces beside the box score, in the project "demo".
    """
    check_report(report)
    started = time.monotonic()
    click.echo(
        f"{TICKETS} support tickets, 2 models x 2 prompts, answered by the embedded model on this machine", err=True
    )
    comparison = run_demo(quiet=as_json and not sys.stderr.isatty())
    print_comparisons([comparison], as_json=as_json)
    save_report(comparison, report)
    click.echo(f"{4 * TICKETS:,} answers in {time.monotonic() - started:.0f} s", err=True)
    if serve:
        from boxscore.cli.demo_server import serve_demo

        return serve_demo(port, PROJECT, browser=may_open_browser())
    if may_open_browser():
        webbrowser.open(report.resolve().as_uri())
    return 0


def run_demo(*, quiet: bool = False) -> Comparison:
    """The demo's comparison; its answers are generated now, whatever is kept."""
    rows = tuple(
        ticket.example(f"ticket-{number:03d}")
        for number, ticket in enumerate(tickets(TICKETS, seed=DEMO_SEED, split="demo"), start=1)
    )
    dataset = Dataset(name="support-tickets", version=version_of(rows), examples=rows)
    variants = {
        f"{model}, {prompt_name} prompt": PromptVariant(
            name=f"{model}, {prompt_name} prompt",
            provider=TinyProvider(),
            model=model,
            prompt=(Message(role="system", content=prompt.system), Message(role="user", content=prompt.user)),
        )
        for model in ("tiny-1", "tiny-2")
        for prompt_name, prompt in (("short", PROMPTS["terse"]), ("precise", PROMPTS["precise"]))
    }
    scorers = make_scorers(["fields:mode=all,as=all_fields_right", "json"])
    rule = make_rule([scorer.metric for scorer in scorers], guards=[{"metric": "json", "margin": 0.02}])
    home = settings.home()
    _furnish(home, dataset)
    with show_progress(quiet=quiet) as progress:
        return compare_variants(
            variants,
            dataset,
            scorers,
            rule,
            baseline=BASELINE,
            candidates=[CANDIDATES[-1]],
            also=CANDIDATES[:-1],
            home=home,
            project=PROJECT,
            effort=Effort(concurrency=64, fresh=True),
            command="boxscore demo",
            progress=progress,
        )[0]


def _furnish(home: Path, dataset: Dataset) -> None:
    """The demo's project and its dataset, where they are not there yet."""
    from boxscore.datasets.versions import Datasets
    from boxscore.governance.people import People
    from boxscore.store.records import Records

    with Records.open(home, settings.load().records_url) as records:
        with contextlib.suppress(ConflictError):
            People(records.database).projects.create(PROJECT, "Demo")
        datasets = Datasets(records.database, PROJECT)
        datasets.put(dataset.name, dataset.examples, by="boxscore demo", replace=True)
        datasets.describe(dataset.name, "Made up by rule, with the fields that a right answer holds")


def may_open_browser() -> bool:
    """Only where a person sits: a terminal, a display, and no word against it."""
    if settings.load().no_browser or not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
