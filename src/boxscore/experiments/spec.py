"""Specs: a comparison written down in YAML, checked before anything runs."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from boxscore.datasets.dataset import Dataset
from boxscore.datasets.load import load_dataset
from boxscore.datasets.names import Reference, is_file, parse_reference
from boxscore.errors import ScorerError, SpecError, UnknownNameError, UsageError
from boxscore.experiments.judges.judge_spec import form_from_spec
from boxscore.experiments.rule import make_rule
from boxscore.experiments.verdict import Rule
from boxscore.experiments.yaml_tree import read_yaml
from boxscore.scoring import Metric, Scorer, make_scorer, make_scorers
from boxscore.types import Json


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison as its file says it, checked, with paths made absolute.

    `variants` are the mappings as written, in order; `boxscore.experiments.variant` makes variants of them, with
    `folder` as the base of relative paths; `judges` likewise. `metric` of the rule is the primary one. Times are
    seconds, money US dollars; None: the file does not say.
    """

    path: Path
    folder: Path
    dataset: Path | Reference
    cluster: str | None
    slices: tuple[str, ...]
    variants: dict[str, dict[str, Json]]
    baseline: str
    candidates: tuple[str, ...]
    scorers: tuple[Scorer, ...]
    rule: Rule
    judges: dict[str, dict[str, Json]] = {}
    repeats: int = 1
    concurrency: int | None = None
    spend_cap_usd: float | None = None
    max_age_s: float | None = None
    stop_early: bool = False
    seed: int = 0
    prices: Path | None = None

    def read_dataset(self, *, home: Path | None = None) -> Dataset:
        """The dataset that the spec names, with its cluster and slices: a file, or one of the store in `home`. Raises
        as `load_dataset` does, and `UnknownNameError` or `NotFoundError`."""
        if isinstance(self.dataset, Reference):
            from boxscore.datasets.stored import load_stored  # who reads a file does without a store

            return load_stored(self.dataset, home=home, cluster=self.cluster, slices=self.slices)
        return load_dataset(self.dataset, cluster=self.cluster, slices=self.slices)

    @property
    def judge_metrics(self) -> tuple[Metric, ...]:
        """The metrics that the judges give, in the order of the file."""
        return tuple(metric for name, judge in self.judges.items() for metric in form_from_spec(name, judge).metrics)

    def between(self, baseline: str | None, candidates: Sequence[str]) -> "Spec":
        """The same spec with other sides; None or nothing keeps its own. Raises `UnknownNameError` for a variant that
        it does not have, `SpecError` for one compared with itself."""
        for name in (*candidates, *([baseline] if baseline is not None else [])):
            if name not in self.variants:
                raise UnknownNameError("variant", name, self.variants, where=str(self.path))
        before = self.baseline if baseline is None else baseline
        after = tuple(dict.fromkeys(candidates)) or tuple(name for name in self.candidates if name != before)
        if before in after:
            raise SpecError(
                f"{before!r} is baseline and candidate: name two variants.", key="candidate", path=self.path
            )
        return msgspec.structs.replace(self, baseline=before, candidates=after)

    def against_file(self, candidates: Sequence[str]) -> "Spec":
        """The same spec with a baseline that stands in a file: these candidates, else its own, else its only variant.
        Raises `UnknownNameError` for a variant that it does not have."""
        for name in candidates:
            if name not in self.variants:
                raise UnknownNameError("variant", name, self.variants, where=str(self.path))
        chosen = tuple(dict.fromkeys(candidates)) or self.candidates or (self.baseline,)
        return msgspec.structs.replace(self, candidates=chosen)


class RuleKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys below `rule`, as written."""

    kind: str | None = None
    margin: float | None = None
    alpha: float | None = None
    usd_per_success: float | None = None
    guards: list[dict[str, Json]] = []
    waive: str | list[str] = []


class SpecKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a spec file, as written. docs/reference/formats.md describes them."""

    dataset: str
    variants: dict[str, Json]
    scorers: str | list[str | dict[str, Json]] = []
    judges: dict[str, Json] = {}
    cluster: str | None = None
    slices: str | list[str] = []
    baseline: str | None = None
    candidate: str | list[str] | None = None
    metric: str | None = None
    rule: RuleKeys = RuleKeys()
    repeats: int = 1
    concurrency: int | None = None
    spend_cap_usd: float | None = None
    max_age: float | str | None = None
    stop_early: bool = False
    seed: int = 0
    prices: str | None = None


def load_spec(path: str | Path) -> Spec:
    """Read and check a spec file. Relative paths in it begin at its folder.

    Raises `FileError`, `SpecError` (with key and line), `UnknownNameError` with the nearest known name, and what making
    the scorers raises.
    """
    path = Path(path)
    tree, lines = read_yaml(path)
    where = _Where(path, lines)
    if not isinstance(tree, dict):
        raise SpecError("a spec is a mapping of keys to values; `boxscore init` writes one to begin with.", path=path)
    try:
        keys = msgspec.convert(tree, SpecKeys)
    except msgspec.ValidationError as error:
        where.explain(error)
    return spec_of(keys, path=path, folder=path.resolve().parent, lines=lines)


def spec_of(keys: SpecKeys, *, path: Path, folder: Path, lines: Mapping[str, int]) -> Spec:
    """What the keys of `path` say, checked; `lines` are those in which they stand. Raises as `load_spec`."""
    where = _Where(path, lines)
    variants = _variants(keys.variants, where)
    baseline, candidates = _sides(keys, variants, where)
    scorers = _scorers(keys, folder, where)
    judged = _judges(keys, where)
    return Spec(
        path=path,
        folder=folder,
        dataset=_dataset(keys.dataset, folder, where),
        cluster=keys.cluster,
        slices=(keys.slices,) if isinstance(keys.slices, str) else tuple(keys.slices),
        variants=variants,
        baseline=baseline,
        candidates=candidates,
        scorers=scorers,
        rule=_rule(keys, [*(scorer.metric for scorer in scorers), *judged], where),
        judges=dict(keys.judges),
        repeats=where.at_least(1, keys.repeats, "repeats"),
        concurrency=None if keys.concurrency is None else where.at_least(1, keys.concurrency, "concurrency"),
        spend_cap_usd=_spend_cap(keys, where),
        max_age_s=None if keys.max_age is None else _seconds(keys.max_age, where),
        stop_early=keys.stop_early,
        seed=where.at_least(0, keys.seed, "seed"),
        prices=None if keys.prices is None else folder / keys.prices,
    )


class _Where:
    """Where in the file a key stands, for errors."""

    def __init__(self, path: Path, lines: Mapping[str, int]) -> None:
        self.path = path
        self.lines = lines

    def line(self, key: str) -> int | None:
        while key and key not in self.lines:
            key = re.sub(r"(\.[^.\[]*|\[\d+\])$", "", key) if re.search(r"[.\[]", key) else ""
        return self.lines.get(key) if key else None

    def text(self, key: str) -> str:
        line = self.line(key)
        return f"{self.path}, line {line}, key {key!r}" if line else f"{self.path}, key {key!r}"

    def fail(self, problem: str, key: str) -> NoReturn:
        raise SpecError(problem, key=key, path=self.path, line=self.line(key)) from None

    def at_least(self, least: int, value: int, key: str) -> int:
        if value < least:
            self.fail(f"must be {least} or more, and is {value}.", key)
        return value

    def explain(self, error: msgspec.ValidationError) -> NoReturn:
        """Say in our words why the file is no spec."""
        problem, _, place = str(error).partition(" - at `$")
        key = place.rstrip("`").removeprefix(".")
        if found := re.search(r"unknown field `(.*)`", problem):
            known = RuleKeys.__struct_fields__ if key == "rule" else SpecKeys.__struct_fields__
            dotted = f"{key}.{found[1]}" if key else found[1]
            close = difflib.get_close_matches(found[1], known, n=1, cutoff=0.6)
            if key and found[1] in SpecKeys.__struct_fields__:
                hint = f"{found[1]!r} stands at the top level, beside {key!r}."
            elif not key and found[1] in RuleKeys.__struct_fields__:
                hint = f"{found[1]!r} stands below 'rule'."
            else:
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
            self.fail(f"there is no such key; {hint}", dotted)
        if found := re.search(r"missing required field `(.*)`", problem):
            raise SpecError("is missing, and every spec needs it.", key=found[1], path=self.path)
        if found := re.match(r"Expected `(.*?)`, got `(.*?)`", problem):
            wanted = " or ".join(_WORDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null")
            problem = f"must be {wanted}, and is {_WORDS.get(found[2], found[2])}"
        self.fail(f"{problem}.", key)


_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}


def _dataset(written: str, folder: Path, where: _Where) -> Path | Reference:
    if is_file(written):
        return folder / written
    try:
        return parse_reference(written)
    except UsageError as error:
        where.fail(str(error), "dataset")


def _variants(written: Mapping[str, Json], where: _Where) -> dict[str, dict[str, Json]]:
    if not written:
        where.fail("needs at least one variant, and two to compare.", "variants")
    for name, variant in written.items():
        if not isinstance(variant, dict):
            where.fail(
                "must be a mapping that says what answers (such as 'provider', 'model', 'prompt').", f"variants.{name}"
            )
    return dict(written)


def _sides(keys: SpecKeys, variants: Mapping[str, Json], where: _Where) -> tuple[str, tuple[str, ...]]:
    """Baseline and candidates: as named, else the first variant and all others."""
    baseline = next(iter(variants)) if keys.baseline is None else keys.baseline
    if baseline not in variants:
        raise UnknownNameError("variant", baseline, variants, where=where.text("baseline"))
    if keys.candidate is None:
        return baseline, tuple(name for name in variants if name != baseline)
    candidates = (keys.candidate,) if isinstance(keys.candidate, str) else tuple(keys.candidate)
    for name in candidates:
        if name not in variants:
            raise UnknownNameError("variant", name, variants, where=where.text("candidate"))
        if name == baseline:
            where.fail(f"{name!r} is the baseline as well; a variant is not compared with itself.", "candidate")
        if candidates.count(name) > 1:
            where.fail(f"{name!r} is named twice.", "candidate")
    if not candidates:
        where.fail("names no variant; leave it out to compare all with the baseline.", "candidate")
    return baseline, candidates


def _scorers(keys: SpecKeys, folder: Path, where: _Where) -> tuple[Scorer, ...]:
    specs = [keys.scorers] if isinstance(keys.scorers, str) else keys.scorers
    if not specs and not keys.judges:
        if "scorers" not in where.lines:
            raise SpecError("is missing, and every spec needs it, or 'judges'.", key="scorers", path=where.path)
        where.fail("needs at least one scorer.", "scorers")
    made: list[Scorer] = []
    for index, spec in enumerate(specs):
        try:
            made.append(make_scorer(spec, folder=folder))
        except UnknownNameError as error:
            raise UnknownNameError(error.kind, error.name, error.known, where=where.text(f"scorers[{index}]")) from None
        except ScorerError as error:
            where.fail(str(error), f"scorers[{index}]")
        except SpecError as error:
            where.fail(error.problem, f"scorers[{index}]")
    try:
        return make_scorers(made)
    except ScorerError as error:
        where.fail(str(error), "scorers")


def _judges(keys: SpecKeys, where: _Where) -> list[Metric]:
    """The metrics of the judges, whose forms are checked; who is asked is looked for when they are needed."""
    metrics: list[Metric] = []
    for name, judge in keys.judges.items():
        try:
            metrics += form_from_spec(name, judge).metrics
        except SpecError as error:
            where.fail(error.problem, error.key or f"judges.{name}")
    return metrics


def _rule(keys: SpecKeys, metrics: Sequence[Metric], where: _Where) -> Rule:
    waive = keys.rule.waive
    try:
        return make_rule(
            metrics,
            metric=keys.metric,
            kind=keys.rule.kind,
            margin=keys.rule.margin,
            alpha=keys.rule.alpha,
            usd_per_success=keys.rule.usd_per_success,
            guards=keys.rule.guards,
            waive=[waive] if isinstance(waive, str) else waive,
        )
    except UnknownNameError as error:
        key = {"metric": "metric", "rule": "rule.kind"}.get(error.kind, "rule.guards")
        raise UnknownNameError(error.kind, error.name, error.known, where=where.text(key)) from None
    except SpecError as error:
        where.fail(error.problem, error.key or "rule")


def _spend_cap(keys: SpecKeys, where: _Where) -> float | None:
    if keys.spend_cap_usd is not None and not keys.spend_cap_usd > 0:
        where.fail(f"must be above 0 dollars, and is {keys.spend_cap_usd:g}.", "spend_cap_usd")
    return keys.spend_cap_usd


def _seconds(age: float | str, where: _Where) -> float:
    """`3600`, `90m`, `12h`, `7d` in seconds."""
    if isinstance(age, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", age)
        if not found:
            where.fail(f"must be seconds, or a number with s, m, h or d (12h), and is {age!r}.", "max_age")
        age = float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    if age < 0:
        where.fail(f"must be 0 or more, and is {age:g}.", "max_age")
    return age
