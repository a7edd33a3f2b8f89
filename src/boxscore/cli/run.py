"""`boxscore run`: one variant over a dataset."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boxscore import settings
from boxscore.cli.json_output import print_json
from boxscore.cli.output import check_report
from boxscore.cli.progress import show_progress
from boxscore.cli.spec import DEFAULT, read_spec
from boxscore.costs import PriceBook
from boxscore.datasets import Dataset
from boxscore.errors import OperationError, SpecError
from boxscore.experiments import baseline
from boxscore.experiments.live import Effort, ProgressOf, run_variants
from boxscore.experiments.loop import run_alone
from boxscore.experiments.summary import summarise
from boxscore.experiments.table import clusters_of, column
from boxscore.experiments.trial import Run
from boxscore.experiments.variant import Variant
from boxscore.experiments.variant_spec import variant_from_spec
from boxscore.experiments.verdict import VariantSummary
from boxscore.scoring import Scorer
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.store.records import Records


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option("--variant", metavar="NAME", help="Which variant of the spec (default: its baseline).")
@click.option("--fresh", is_flag=True, help="Use no answer of an earlier run.")
@click.option("--retry-errors", is_flag=True, help="Take the last run of this very plan up again: ask what failed.")
@click.option("--spend-cap", type=click.FloatRange(0, min_open=True), metavar="USD", help="Stop before more is spent.")
@click.option("--concurrency", type=click.IntRange(1), help="Calls in flight at once.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N examples.")
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keep its scores for `compare --baseline-file`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON to standard output.")
@click.option("--server", "there", is_flag=True, help="Let the server run it, as a job, and follow it from here.")
def run(
    spec: Path | None,
    variant: str | None,
    fresh: bool,
    retry_errors: bool,
    spend_cap: float | None,
    concurrency: int | None,
    limit: int | None,
    write_baseline: Path | None,
    as_json: bool,
    there: bool,
) -> int:
    """Run one variant over the dataset of SPEC (default: ./boxscore.yaml) and print its numbers.

    Every answer is kept, scored or not: the next `boxscore compare` uses it.
    """
    if there:
        if write_baseline is not None or retry_errors:
            raise SpecError("--write-baseline and --retry-errors are for runs here, without --server.", key="--server")
        given = {"variant": variant, "fresh": fresh, "spend_cap_usd": spend_cap, "concurrency": concurrency}
        return _run_remotely(spec or DEFAULT, given | {"limit": limit}, as_json=as_json)
    from boxscore.store.records import Records

    check_report(write_baseline)
    loaded = read_spec(spec)
    chosen = loaded.between(variant, ()).baseline if variant else loaded.baseline
    dataset = loaded.read_dataset()
    if limit is not None:
        dataset = dataset.subset([example.id for example in dataset.examples[:limit]])
    configured = settings.load()
    effort = Effort(
        concurrency=concurrency or loaded.concurrency or configured.concurrency,
        repeats=loaded.repeats,
        spend_cap_usd=spend_cap if spend_cap is not None else loaded.spend_cap_usd,
        max_age_s=configured.reuse_max_age_s if loaded.max_age_s is None else loaded.max_age_s,
        fresh=fresh,
        retry_errors=retry_errors,
        book=None if loaded.prices is None else PriceBook.load(loaded.prices),
    )
    made = variant_from_spec(chosen, loaded.variants[chosen], loaded.folder)
    quiet = as_json and not sys.stderr.isatty()
    with (
        Records.open(
            settings.home(configured), configured.records_url, project=configured.project or "default"
        ) as records,
        show_progress(quiet=quiet) as progress,
    ):
        done = run_alone(_run(made, dataset, loaded.scorers, records, effort, progress))
    summary = summarise(column(done, done.examples, done.metrics), done.metrics, clusters_of(done.examples))
    _print(done.id, done.dataset_name, done.dataset_version, summary, as_json)
    if loaded.judges:
        click.echo(f"not judged by {', '.join(loaded.judges)}: `boxscore compare` asks judges.", err=True)
    if write_baseline is not None:
        baseline.write_baseline(baseline.baseline_of(done, folder=loaded.folder), write_baseline)
        click.echo(f"baseline: {write_baseline}", err=True)
    return 0


async def _run(
    variant: Variant,
    dataset: Dataset,
    scorers: Sequence[Scorer],
    records: "Records",
    effort: Effort,
    progress: ProgressOf | None,
) -> Run:
    try:
        return (await run_variants([variant], dataset, scorers, records, effort, progress))[0]
    finally:
        await variant.close()


def _run_remotely(path: Path, given: dict[str, Json], *, as_json: bool) -> int:
    from boxscore.cli.remote_run import run_remotely

    found = run_remotely(path, {name: value for name, value in given.items() if value}, as_json=as_json)
    if found.summary is None:
        raise OperationError(f"run {found.run.id} has no trial: its dataset has no rows.")
    _print(found.run.id, found.run.dataset, found.run.version, found.summary, as_json)
    return 0


def _print(run: str, dataset: str, version: str, summary: VariantSummary, as_json: bool) -> None:
    if as_json:
        told = {"run": run, "dataset": {"name": dataset, "version": version}, "variant": summary}
        print_json(told)
        return
    click.echo(f"{summary.name} on {dataset}@{version}, run {run}")
    for name, value in summary.metrics.items():
        scale, unit = (1.0, value.unit) if value.kind == "amount" else (100.0, "%")
        ends = "" if value.low is None or value.high is None else f"{scale * value.low:.4g} to {scale * value.high:.4g}"
        numbers = f"{scale * value.value:>10.4g} {unit:<8} {ends}"
        click.echo(f"  {name:<24} {numbers}   n = {value.n:,}")
    operations = (
        ("$ per 1,000", summary.cost_per_1k_usd),
        ("p50 s", summary.latency_p50_s),
        ("p95 s", summary.latency_p95_s),
        ("tokens in", summary.tokens_in),
        ("tokens out", summary.tokens_out),
    )
    for name, number in operations:
        click.echo(f"  {name:<24} {'not recorded' if number is None else f'{number:>10.4g}'}")
    click.echo(f"  {'errors':<24} {summary.errors:>10,} of {summary.trials:,}")
