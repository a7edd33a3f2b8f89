"""What an importer gives: variants, scorers, rows and recorded answers in Boxscore's own forms, and what was left."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from boxscore.imports.reading import Left, Node
from boxscore.imports.yaml_text import to_yaml
from boxscore.scoring import make_scorer
from boxscore.types import Json

__all__ = ["PLACEHOLDERS", "Draft", "Imported", "Row", "add_models", "finish"]

SPEC, DATASET, RECORDINGS = "boxscore.yaml", "dataset.jsonl", "recordings.jsonl"

PLACEHOLDERS = ("model-a", "model-b")
"""Models of a spec whose source names none."""


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One example, as a line of a dataset. `checks` are its own scorers, as `metadata.checks` takes them."""

    id: str
    inputs: dict[str, Json]
    reference: Json = None
    metadata: dict[str, Json] = {}
    cluster: str | None = None
    slices: dict[str, str] = {}


class Draft(msgspec.Struct, kw_only=True):
    """An import in the making. `nodes` are the trees that were read; what of them nobody took is listed.

    `checks` are, by row id, the checks of each row, from which scorers are made. `recordings` are lines of a recordings
    file. `baseline` and `candidates` are names of recorded models, where they are not simply in the order of the file.
    """

    source: str
    nodes: list[Node] = []
    more: list[Left] = []
    variants: dict[str, dict[str, Json]] = {}
    scorers: list[Json] = []
    rows: list[Row] = []
    checks: dict[str, list[dict[str, Json]]] = {}
    recordings: list[dict[str, Json]] = []
    options: dict[str, Json] = {}
    guesses: list[str] = []
    placeholders: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import comes to.

    `files` are contents by name; `carried` counts by word; `guesses` are sentences about what the source does not say
    itself; `left` is what was not carried. `models` are the recorded ones, `scorers` in their string form; `runs` says
    that the spec's variants can answer as they are.
    """

    source: str
    files: dict[str, bytes]
    carried: dict[str, int]
    guesses: tuple[str, ...]
    left: tuple[Left, ...]
    models: tuple[str, ...]
    scorers: tuple[str, ...]
    variants: tuple[str, ...]
    runs: bool


def finish(draft: Draft, left: tuple[Left, ...]) -> Imported:
    """The files of a draft, and its counts. Raises what making its scorers raises."""
    _settle_checks(draft)
    files: dict[str, bytes] = {}
    if draft.variants and draft.rows and (draft.scorers or "judges" in draft.options):
        files[SPEC] = _spec(draft)
    if draft.rows:
        files[DATASET] = _lines(draft.rows)
    if draft.recordings:
        rows = {row.id: row for row in draft.rows}
        files[RECORDINGS] = _lines(_recording(line, rows[cast("str", line["case_id"])]) for line in draft.recordings)
    made = [make_scorer(spec) for spec in draft.scorers]
    models = tuple(dict.fromkeys(cast("str", line["model"]) for line in draft.recordings))
    carried = {
        "variants": len(draft.variants) if SPEC in files else 0,
        "scorers": len(made),
        "judges": len(cast("dict[str, Json]", draft.options.get("judges", {}))),
        "examples": len(draft.rows),
        "checks of examples": sum(len(cast("list[Json]", row.metadata.get("checks", []))) for row in draft.rows),
        "recorded answers": len(draft.recordings),
        "models with recorded answers": len(models),
    }
    return Imported(
        source=draft.source,
        files=files,
        carried={name: count for name, count in carried.items() if count},
        guesses=tuple(draft.guesses),
        left=left,
        models=models,
        scorers=tuple(scorer.spec for scorer in made),
        variants=tuple(draft.variants),
        runs=SPEC in files and not draft.placeholders,
    )


def add_models(draft: Draft, models: Sequence[str], prompts: Mapping[str, Json]) -> None:
    """Variants for a source that names no model that can be asked: those that the user names, else placeholders. Each
    asks every prompt; `prompts` are by label, which is not needed where there is one."""
    draft.placeholders = not models
    several = len(prompts) > 1 or any(prompts)
    for model in models or (PLACEHOLDERS[:1] if len(prompts) > 1 else PLACEHOLDERS):
        for label, prompt in prompts.items():
            draft.variants[f"{model}, {label}" if several else model] = {"model": model, "prompt": prompt}
    if not models:
        draft.more.append(
            Left(
                place="(models)",
                reason="no model is named that can be asked as it is, so that the spec has placeholders",
                remedy=f"name yours with --model, or in {SPEC}",
            )
        )


def _settle_checks(draft: Draft) -> None:
    """Scorers from the checks of rows.

    Where every row has the same checks, but for one reference that each may have of its own, the scorers stand in the
    spec and the reference in the row. Else the checks stay with their rows, and the scorer `checks` reads them there.
    """
    if not any(draft.checks.values()):
        return
    shapes: set[bytes] = set()
    references: dict[str, list[Json]] = {}
    for row in draft.rows:
        checks = draft.checks.get(row.id, [])
        bare = [{key: value for key, value in check.items() if key != "reference"} for check in checks]
        shapes.add(msgspec.json.encode(bare))
        found: list[Json] = []
        for check in checks:
            if "reference" in check and check["reference"] not in found:
                found.append(check["reference"])
        references[row.id] = found
    free = all(row.reference is None for row in draft.rows)
    threshold = any("checks_threshold" in row.metadata for row in draft.rows)
    (first, *others) = shapes
    plain: list[dict[str, Json]] = msgspec.json.decode(first)
    names = [make_scorer(check["scorer"]).metric.name for check in plain]
    if (
        not others
        and not threshold
        and free
        and all(len(found) <= 1 for found in references.values())
        and all(check.keys() == {"scorer"} for check in plain)
        and len(set(names)) == len(names)
    ):
        for row in draft.rows:
            row.reference = next(iter(references[row.id]), None)
        scorers = [check["scorer"] for check in plain]
        if len(scorers) > 1:
            scorers.insert(0, {"all": scorers[:]})
        draft.scorers = [*scorers, *draft.scorers]
        return
    for row in draft.rows:
        if checks := draft.checks.get(row.id):
            row.metadata["checks"] = [check["scorer"] if check.keys() == {"scorer"} else check for check in checks]
    draft.scorers = ["checks", *draft.scorers]


def _recording(line: dict[str, Json], row: Row) -> dict[str, Json]:
    case: dict[str, Json] = {
        "inputs": row.inputs,
        "reference": row.reference,
        "metadata": row.metadata,
        "cluster": row.cluster,
        "slices": row.slices,
    }
    return {key: value for key, value in {**line, **case}.items() if value not in (None, {})}


def _lines(rows: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _spec(draft: Draft) -> bytes:
    tree: dict[str, Json] = {
        "dataset": DATASET,
        "variants": draft.variants,
        "scorers": draft.scorers,
        **draft.options,
    }
    if not draft.scorers:
        del tree["scorers"]
    head = "# Written by boxscore import.\n"
    if draft.placeholders:
        head += "# The models are placeholders: put in the names of yours.\n"
    return (head + to_yaml(tree)).encode()
