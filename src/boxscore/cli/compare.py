"""`boxscore compare`: is the change worth it?"""

import re
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from boxscore.cli.json_output import print_json
from boxscore.cli.output import check_report, print_comparisons
from boxscore.cli.progress import show_progress
from boxscore.cli.spec import DEFAULT, read_spec
from boxscore.errors import SpecError
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.rule import make_rule
from boxscore.experiments.spec import Spec
from boxscore.experiments.verdict import Guard, Rule
from boxscore.scoring import Metric, Scorer, make_scorers
from boxscore.types import Json

if TYPE_CHECKING:  # it loads the statistics, for which a run has time while its first calls wait
    from boxscore.experiments.plan import Plan


class RuleOptions(NamedTuple):
    """What was said of the rule on the command line; None where nothing was."""

    metric: str | None
    kind: str | None
    margin: float | None
    alpha: float | None
    usd_per_success: float | None
    guards: tuple[Guard, ...]


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option("--recordings", metavar="FILE", type=click.Path(path_type=Path), help="Compare recorded answers (JSONL).")
@click.option("--baseline", metavar="NAME", help="The variant, or recorded model, that is in use.")
@click.option(
    "--baseline-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The baseline that `run --write-baseline` kept.",
)
@click.option("--candidate", "candidates", metavar="NAME", multiple=True, help="What may take its place; repeatable.")
@click.option("--scorer", "scorers", metavar="NAME[:ARG,…]", multiple=True, help="How to score; repeatable.")
@click.option("--metric", metavar="NAME", help="The metric that decides (default: the first scorer's).")
@click.option("--rule", metavar="KIND", help="superiority (default), noninferiority or value.")
@click.option("--margin", type=float, help="Smallest difference that matters; for rates 0.02 is 2 points.")
@click.option("--alpha", type=float, help="1 − the level of the intervals (default 0.05).")
@click.option("--usd-per-success", type=float, metavar="USD", help="What one more success is worth (rule value).")
@click.option(
    "--guard", "guards", metavar="METRIC=M", multiple=True, help="Worse by less than M; METRIC<=M: a ceiling."
)
@click.option("--slice", "slices", metavar="FIELD", multiple=True, help="Report by this field; repeatable.")
@click.option("--cluster", metavar="FIELD", help="Rows that share its value are not independent.")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Run nothing: say what this dataset can show; exit 3 if too little."
)
@click.option("--fresh", is_flag=True, help="Use no answer of an earlier run.")
@click.option("--retry-errors", is_flag=True, help="Take the last run of this very plan up again: ask what failed.")
@click.option("--spend-cap", type=float, metavar="USD", help="Stop before more than this is spent.")
@click.option("--concurrency", type=click.IntRange(1), help="Calls in flight at once.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N examples.")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the HTML report.")
@click.option("--markdown", metavar="FILE", type=click.Path(path_type=Path), help="Write a pull request's comment.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML, for a CI server.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON to standard output.")
@click.option("--width", type=click.IntRange(60, 200), help="Columns of the box score (default: the terminal's).")
@click.option("--seed", type=click.IntRange(0), help="Seed of the bootstrap.")
@click.option("--server", "there", is_flag=True, help="Let the server run it, as a job, and follow it from here.")
def compare(
    spec: Path | None,
    recordings: Path | None,
    baseline: str | None,
    baseline_file: Path | None,
    candidates: tuple[str, ...],
    scorers: tuple[str, ...],
    metric: str | None,
    rule: str | None,
    margin: float | None,
    alpha: float | None,
    usd_per_success: float | None,
    guards: tuple[str, ...],
    slices: tuple[str, ...],
    cluster: str | None,
    only_plan: bool,
    fresh: bool,
    retry_errors: bool,
    spend_cap: float | None,
    concurrency: int | None,
    limit: int | None,
    report: Path | None,
    markdown: Path | None,
    junit: Path | None,
    as_json: bool,
    width: int | None,
    seed: int | None,
    there: bool,
) -> int:
    """Say whether a change is worth it: ship, reject or undecided.

    SPEC (default: ./boxscore.yaml) names a dataset, variants and scorers; what is missing is run. With --recordings the
    answers are there already. Options override what the spec says.

    \b
      boxscore compare
      boxscore compare --recordings answers.jsonl --baseline gpt-4o-mini --candidate gpt-4o --scorer exact
    """
    check_report(report, markdown, junit)
    if there:
        _refuse_there(
            {
                "--recordings": recordings,
                "--baseline-file": baseline_file,
                "--retry-errors": retry_errors or None,
                "--report": report,
                "--markdown": markdown,
                "--junit": junit,
            }
        )
    options = RuleOptions(metric, rule, margin, alpha, usd_per_success, tuple(_guard(text) for text in guards))
    if there:
        more = _more(
            options, baseline=baseline, candidate=list(candidates), scorers=list(scorers), slices=list(slices),
            cluster=cluster, spend_cap_usd=spend_cap, concurrency=concurrency, seed=seed, limit=limit, fresh=fresh,
        )  # fmt: skip
        from boxscore.cli.remote_compare import compare_remotely

        told = partial(_print_plan, as_json=as_json) if only_plan else None
        return compare_remotely(spec or DEFAULT, more, as_json=as_json, width=width, plan=told)
    if recordings is not None:
        _refuse_live(
            {
                "SPEC": spec,
                "--spend-cap": spend_cap,
                "--concurrency": concurrency,
                "--limit": limit,
                "--fresh": fresh or None,
                "--retry-errors": retry_errors or None,
                "--baseline-file": baseline_file,
            }
        )
        made = make_scorers(scorers)
        decided_by = _rule(options, made, None)
        if only_plan:
            return _print_plan(_plan_recordings(recordings, made, decided_by, cluster, slices), as_json)
        comparisons = _recorded(recordings, baseline, candidates, made, decided_by, slices, cluster, seed or 0)
    else:
        if baseline is not None and baseline_file is not None:
            raise SpecError("there is one baseline: name a variant, or a file.", key="--baseline-file")
        loaded = _override(
            read_spec(spec), baseline, () if baseline_file else candidates, scorers, options, slices, cluster,
            spend_cap, concurrency, seed,
        )  # fmt: skip
        loaded = loaded if baseline_file is None else loaded.against_file(candidates)
        if only_plan:
            dataset = loaded.read_dataset()
            planned = _plan(dataset.name, dataset.examples[:limit], loaded.scorers, loaded.rule, loaded)
            return _print_plan(planned, as_json)
        comparisons = _live(loaded, baseline_file, limit=limit, fresh=fresh, retry_errors=retry_errors, quiet=as_json)
    return print_comparisons(comparisons, as_json=as_json, report=report, markdown=markdown, junit=junit, width=width)


def _recorded(
    path: Path,
    baseline: str | None,
    candidates: Sequence[str],
    scorers: Sequence[Scorer],
    rule: Rule,
    slices: Sequence[str],
    cluster: str | None,
    seed: int,
) -> list[Comparison]:
    from boxscore.experiments.recorded import compare_recordings

    if baseline is None or not candidates:
        missing = "--baseline" if baseline is None else "--candidate"
        raise SpecError("name the model that is in use with --baseline and the new one with --candidate.", key=missing)
    return compare_recordings(
        path,
        baseline=baseline,
        candidates=candidates,
        scorers=scorers,
        rule=rule,
        slices=slices,
        cluster=cluster,
        command=_command(),
        seed=seed,
    )


def _live(
    spec: Spec, baseline_file: Path | None, *, limit: int | None, fresh: bool, retry_errors: bool, quiet: bool
) -> list[Comparison]:
    from boxscore.experiments.compare import compare_spec

    with show_progress(quiet=quiet and not sys.stderr.isatty()) as progress:
        return compare_spec(
            spec,
            limit=limit,
            fresh=fresh,
            retry_errors=retry_errors,
            baseline_file=baseline_file,
            command=_command(),
            progress=progress,
        )


def _override(
    spec: Spec,
    baseline: str | None,
    candidates: Sequence[str],
    scorers: Sequence[str],
    options: RuleOptions,
    slices: Sequence[str],
    cluster: str | None,
    spend_cap: float | None,
    concurrency: int | None,
    seed: int | None,
) -> Spec:
    """The spec with what the command line says instead."""
    made = make_scorers(scorers) if scorers else spec.scorers
    if spend_cap is not None and not spend_cap > 0:
        raise SpecError(f"must be above 0 dollars, and is {spend_cap:g}.", key="--spend-cap")
    spec = spec.between(baseline, candidates)
    return msgspec.structs.replace(
        spec,
        scorers=made,
        rule=_rule(options, made, None if scorers else spec.rule, spec.judge_metrics),
        slices=tuple(slices) or spec.slices,
        cluster=cluster or spec.cluster,
        spend_cap_usd=spec.spend_cap_usd if spend_cap is None else spend_cap,
        concurrency=concurrency or spec.concurrency,
        seed=spec.seed if seed is None else seed,
    )


def _rule(options: RuleOptions, scorers: Sequence[Scorer], before: Rule | None, judged: Sequence[Metric] = ()) -> Rule:
    """The rule of the command line, over that of the spec where there is one and it is of the same kind."""
    kind = options.kind or (before.kind if before and options.usd_per_success is None else None)
    same = before if before and before.kind == kind else None
    return make_rule(
        [*(scorer.metric for scorer in scorers), *judged],
        metric=options.metric or (before.metric if before else None),
        kind=kind,
        margin=same.margin if same and options.margin is None and same.margin else options.margin,
        alpha=before.alpha if before and options.alpha is None else options.alpha,
        usd_per_success=same.usd_per_success if same and options.usd_per_success is None else options.usd_per_success,
        guards=options.guards or (before.guards if before else ()),
        waive=before.waive if before else (),
    )


def _guard(text: str) -> Guard:
    found = re.fullmatch(r"\s*([^=<>\s]+)\s*(<=|=)\s*(\S+)\s*", text)
    try:
        if found is None:
            raise ValueError(text)
        value = float(found[3])
    except ValueError:
        raise SpecError(
            f"{text!r} is no guard: METRIC=M lets the candidate be worse by less than M, METRIC<=M sets a ceiling.",
            key="--guard",
        ) from None
    return Guard(metric=found[1], ceiling=value) if found[2] == "<=" else Guard(metric=found[1], margin=value)


def _refuse_live(options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise SpecError(f"{name} is for live runs and means nothing with --recordings: leave it out.", key=name)


def _refuse_there(options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise SpecError(f"{name} is for comparisons that run here, without --server: leave it out.", key=name)


def _more(options: RuleOptions, **given: Json) -> dict[str, Json]:
    """The keys of the spec that the command line says otherwise."""
    more = {key: value for key, value in given.items() if value or value == 0}
    rule = {
        "kind": options.kind,
        "margin": options.margin,
        "alpha": options.alpha,
        "usd_per_success": options.usd_per_success,
        "guards": [
            {key: value for key, value in msgspec.to_builtins(guard).items() if value is not None}
            for guard in options.guards
        ]
        or None,
    }
    rule = {key: value for key, value in rule.items() if value is not None}
    if options.metric is not None:
        more["metric"] = options.metric
    if rule:
        more["rule"] = rule
    return more


def _plan_recordings(
    path: Path, scorers: Sequence[Scorer], rule: Rule, cluster: str | None, slices: Sequence[str]
) -> "Plan":
    from boxscore.experiments.recordings import load_recordings

    dataset = load_recordings(path, cluster=cluster, slices=slices).dataset
    return _plan(dataset.name, dataset.examples, scorers, rule, None)


def _plan(name: str, examples: Sequence[object], scorers: Sequence[Scorer], rule: Rule, spec: Spec | None) -> "Plan":
    from boxscore.datasets import Example
    from boxscore.experiments.plan import plan

    metrics = [*(scorer.metric for scorer in scorers), *(spec.judge_metrics if spec else ())]
    metric = next(metric for metric in metrics if metric.name == rule.metric)
    rows = [example for example in examples if isinstance(example, Example)]
    variants = 1 + len(spec.candidates) if spec else 0
    return plan(name, rows, metric, rule, variants=variants, repeats=spec.repeats if spec else 1)


def _print_plan(planned: "Plan", as_json: bool) -> int:
    if as_json:
        print_json(planned)
        return _plan_exit(planned)
    what = "margin kept" if planned.rule == "noninferiority" else "smallest gain shown"
    click.echo(f"{planned.dataset}: {planned.examples:,} examples, {planned.units:,} independent")
    click.echo(f"{planned.rule} on {planned.metric}, alpha {planned.alpha:g}, power 80 %")
    if planned.calls:
        click.echo(f"{planned.calls:,} calls for all variants, less those whose answers are kept")
    if planned.lines:
        click.echo(f"\n{'answers that change':>22}   {what}")
        for line in planned.lines:
            found = "none" if line.detectable is None else f"{100 * line.detectable:.1f} points"
            click.echo(f"{100 * line.changed:>20.0f} %   {found:>{len(what)}}")
        click.echo()
    click.echo(planned.reason)
    return _plan_exit(planned)


def _plan_exit(planned: "Plan") -> int:
    """Too small a dataset would leave it undecided."""
    return 3 if planned.enough is False else 0


def _command() -> str:
    return shlex.join(["boxscore", *sys.argv[1:]])
