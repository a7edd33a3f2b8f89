"""Specs that are sent to a server: the keys of a spec file, without those that reach beyond the spec.

This is the one place that decides it. A key is taken when it stands in a struct here: what spec files get tomorrow is
refused until somebody has thought about it. Such a spec names no files, Python, commands, addresses or variables of the
environment; providers are those that the server has been given.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from boxscore.datasets import Dataset, Example, from_rows, load_dataset
from boxscore.datasets.names import is_file, parse_reference
from boxscore.errors import SpecError
from boxscore.experiments.judges.judge import Judge
from boxscore.experiments.judges.judge_spec import judge_from_spec
from boxscore.experiments.live import Effort, check_comparison
from boxscore.experiments.spec import RuleKeys, Spec, SpecKeys, spec_of
from boxscore.experiments.variant import Variant
from boxscore.experiments.variant_spec import read_prompt, variant_from_spec
from boxscore.experiments.yaml_tree import read_yaml
from boxscore.providers.known import KNOWN
from boxscore.scoring.registry import NOWHERE
from boxscore.settings import Settings
from boxscore.store.records import Records
from boxscore.types import Json

__all__ = ["Asked", "AskedJudge", "AskedVariant", "Prepared", "asked_of", "named_providers", "prepare"]

CONCURRENCY = 64
ROWS = 10_000
TIMEOUT_S = 600.0
REPEATS = 1_000
TRIALS = 2_000_000
"""Answers of a variant, all of whose places a worker holds in memory."""


class AskedVariant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A prompt with a model. `provider` is `tiny`, one whose key the server has, or one of its `BOXSCORE_PROVIDERS`."""

    model: str
    provider: str = "openai"
    prompt: Json = None
    messages: list[Json] | None = None
    params: dict[str, Json] = {}
    tools: list[dict[str, Json]] = []
    output_schema: Json = None
    stream: bool = False
    timeout_s: float = 120.0
    first_token_s: float | None = None
    usd_per_mtok: Json = None


class AskedJudge(AskedVariant, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question about answers, and the model that is asked it."""

    kind: str = "binary"
    question: str | None = None
    scale: Json = None
    criteria: Json = None
    better: str = "higher"
    reference: bool | None = None
    repeats: int = 1
    structured: bool | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A comparison, or with `variant` a run of that one alone. `dataset` is NAME or NAME@VERSION of the project, or the
    rows themselves; `limit` takes its first examples only. `spend_cap_usd` is what the answers and judges together may
    cost (default: the server's `BOXSCORE_SPEND_CAP_USD`). All else is as in a spec file."""

    dataset: str | list[dict[str, Json]]
    variants: dict[str, AskedVariant]
    variant: str | None = None
    scorers: str | list[str | dict[str, Json]] = []
    judges: dict[str, AskedJudge] = {}
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
    fresh: bool = False
    limit: int | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, checked and ready. `variants` are the baseline and the candidates, or the one of a run."""

    spec: Spec
    dataset: Dataset
    variants: list[Variant]
    judges: list[Judge]
    effort: Effort


def asked_of(path: Path, more: Mapping[str, Json]) -> Asked:
    """A spec file as it is sent to a server: the rows of its dataset's file and the texts of its prompts' files are
    written into it. `more` stands in for keys of the file, and below `rule` for keys there. Raises as `load_spec`, and
    `SpecError` for what a server does not take."""
    tree, lines = read_yaml(path)
    if not isinstance(tree, dict):
        raise SpecError("a spec is a mapping of keys to values; `boxscore init` writes one to begin with.", path=path)
    keys: dict[str, Json] = {**tree, **more}
    rule: Json = cast("dict[str, Json]", tree).get("rule")
    if "rule" in more and isinstance(rule, dict):
        keys["rule"] = {**rule, **more["rule"]}
    folder = path.resolve().parent
    variants: Json = keys.get("variants")
    if isinstance(variants, dict):
        mappings = cast("dict[str, Json]", variants)
        keys["variants"] = {name: _with_prompt(variant, folder) for name, variant in mappings.items()}
    dataset: Json = keys.get("dataset")
    if isinstance(dataset, str) and is_file(dataset):
        keys["dataset"] = [_row(example) for example in load_dataset(folder / dataset).examples[: keys.get("limit")]]
    try:
        return msgspec.convert(keys, Asked)
    except msgspec.ValidationError as error:
        key = str(error).rpartition("`$.")[2].rstrip("`")
        raise SpecError(
            f"this cannot be sent to a server: {error}. It takes prompts with models of its own providers; compare "
            "functions, commands and endpoints here, without --server.",
            path=path,
            key=key or None,
            line=lines.get(key),
        ) from None


def named_providers(settings: Settings) -> dict[str, str | None]:
    """`BOXSCORE_PROVIDERS`, by name: the address, None for that which the name is known to have."""
    found: dict[str, str | None] = {}
    for text in filter(None, (part.strip() for part in (settings.providers or "").split(","))):
        name, _, url = text.partition("=")
        if not url and (name not in KNOWN or KNOWN[name].base_url is None):
            raise SpecError(f"where is {name!r}? Write NAME=URL.", key="BOXSCORE_PROVIDERS")
        found[name.strip()] = url.strip() or None
    return found


def prepare(asked: Asked, records: Records, settings: Settings) -> Prepared:
    """What can be refused is refused here, before a job is made of it: raises as reading a spec file, making its parts
    and `compare` do."""
    keys = msgspec.structs.asdict(asked)
    for key in ("dataset", "variant", "fresh", "limit", "variants", "judges"):
        del keys[key]
    variants = {name: _mapping(variant) for name, variant in asked.variants.items()}
    judges = {name: _mapping(judge) for name, judge in asked.judges.items()}
    spec = spec_of(
        SpecKeys(**keys, dataset="rows", variants=variants, judges=judges), path=Path("spec"), folder=NOWHERE, lines={}
    )
    if asked.variant is not None:
        spec = spec.between(asked.variant, [name for name in variants if name != asked.variant])
    elif not spec.candidates:
        raise SpecError("has one variant, and a comparison needs two.", key="variants")
    names = (spec.baseline, *(() if asked.variant is not None else spec.candidates))
    _check_sizes(asked)
    dataset = _dataset(asked, spec, records)
    if (trials := len(dataset) * asked.repeats) > TRIALS:
        raise SpecError(f"asks {trials:,} times for each variant, and {TRIALS:,} may be.", key="repeats")
    providers = named_providers(settings)
    prepared = Prepared(
        spec=spec,
        dataset=dataset,
        variants=[
            variant_from_spec(name, _connected(variants[name], providers, f"variants.{name}"), NOWHERE)
            for name in names
        ],
        judges=[
            judge_from_spec(name, _connected(judge, providers, f"judges.{name}"), NOWHERE)
            for name, judge in (judges.items() if asked.variant is None else ())
        ],
        effort=Effort(
            concurrency=spec.concurrency or settings.concurrency,
            repeats=spec.repeats,
            spend_cap_usd=spec.spend_cap_usd or settings.spend_cap_usd,
            max_age_s=settings.reuse_max_age_s if spec.max_age_s is None else spec.max_age_s,
            fresh=asked.fresh,
            stop_early=spec.stop_early and asked.variant is None,
        ),
    )
    check_comparison(
        prepared.variants,
        dataset,
        spec.scorers,
        spec.rule,
        prepared.effort,
        prepared.judges,
        candidates=len(names) - 1,
    )
    return prepared


def _with_prompt(variant: Json, folder: Path) -> Json:
    fields = cast("dict[str, Json]", variant) if isinstance(variant, dict) else {}
    if not isinstance(fields.get("prompt_file"), str):
        return cast("Json", variant)
    rest = {key: value for key, value in fields.items() if key != "prompt_file"}
    return {**rest, "prompt": read_prompt(folder / fields["prompt_file"])}


def _row(example: Example) -> dict[str, Json]:
    row: dict[str, Json] = msgspec.to_builtins(example)
    return row


def _mapping(asked: AskedVariant) -> dict[str, Json]:
    found: dict[str, Json] = msgspec.to_builtins(asked)
    return found


def _connected(mapping: Mapping[str, Json], providers: Mapping[str, str | None], key: str) -> dict[str, Json]:
    """The mapping as a local spec would have it, with the address and the key of the server's own provider."""
    name: str = mapping.get("provider", "openai")
    if name in providers:
        variable = f"{name.upper().replace('-', '_')}_API_KEY"
        more: dict[str, Json] = {"base_url": providers[name]} if providers[name] else {}
        return {**mapping, **more, **({"api_key_env": variable} if more and os.environ.get(variable) else {})}
    known = KNOWN.get(name)
    if name == "tiny" or (known is not None and known.base_url is not None and known.key_env is not None):
        return dict(mapping)
    there = sorted({"tiny", *providers, *(one for one, how in KNOWN.items() if how.base_url and how.key_env)})
    raise SpecError(
        f"the server has no provider {name!r}: it has {', '.join(there)}. BOXSCORE_PROVIDERS={name}=URL of its "
        "environment names another.",
        key=f"{key}.provider",
    )


def _dataset(asked: Asked, spec: Spec, records: Records) -> Dataset:
    from boxscore.datasets.versions import Datasets

    if isinstance(asked.dataset, str):
        store = Datasets(records.database, records.project)
        dataset = store.load(parse_reference(asked.dataset), cluster=spec.cluster, slices=spec.slices)
    else:
        dataset = from_rows(asked.dataset, cluster=spec.cluster, slices=spec.slices)
    if asked.limit is not None:
        dataset = dataset.subset([example.id for example in dataset.examples[: asked.limit]])
    return dataset


def _check_sizes(asked: Asked) -> None:
    if not isinstance(asked.dataset, str) and len(asked.dataset) > ROWS:
        raise SpecError(f"has {len(asked.dataset):,} rows, and {ROWS:,} may be sent: import it first.", key="dataset")
    if asked.limit is not None and asked.limit < 1:
        raise SpecError(f"must be 1 or more, and is {asked.limit}.", key="limit")
    for key, repeats in (
        ("repeats", asked.repeats),
        *((f"judges.{n}.repeats", j.repeats) for n, j in asked.judges.items()),
    ):
        if repeats > REPEATS:
            raise SpecError(f"must be {REPEATS:,} or less, and is {repeats:,}.", key=key)
    if asked.concurrency is not None and asked.concurrency > CONCURRENCY:
        raise SpecError(f"must be {CONCURRENCY} or less, and is {asked.concurrency}.", key="concurrency")
    parts: Sequence[tuple[str, AskedVariant]] = [
        *((f"variants.{name}", one) for name, one in asked.variants.items()),
        *((f"judges.{name}", one) for name, one in asked.judges.items()),
    ]
    for key, part in parts:
        if part.timeout_s > TIMEOUT_S:
            raise SpecError(
                f"must be {TIMEOUT_S:g} seconds or less, and is {part.timeout_s:g}.", key=f"{key}.timeout_s"
            )
