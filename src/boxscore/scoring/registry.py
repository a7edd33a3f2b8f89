"""Finding scorers by name and making them from what a user typed.

Every scorer is an entry point of the group `boxscore.scorers`: a name and a factory (class or function) that takes the
scorer's arguments and returns a `Scorer`. Ours come in through the same door as a plug-in package's.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeAlias, cast

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError, SpecError, UnknownNameError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import bind, parse_spec, quote, usage
from boxscore.scoring.scorer import Metric, Score, Scorer
from boxscore.types import Json

__all__ = [
    "GROUP",
    "NOWHERE",
    "ScorerInfo",
    "ScorerSpec",
    "known_scorers",
    "list_scorers",
    "make_scorer",
    "make_scorers",
]

GROUP = "boxscore.scorers"
NOWHERE = Path("\0")
"""As `folder`: the spec comes from elsewhere. Its scorers, and those inside of them, read no file and load no code."""

ScorerSpec: TypeAlias = str | Mapping[str, Json] | Scorer | Callable[..., object]
"""What `make_scorer` understands: the string form, a spec file's mapping, a made scorer, or a function of yours."""


class ScorerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of scorers. `form` is how it is typed, `package` the distribution that brings it."""

    name: str
    form: str
    summary: str
    doc: str
    package: str


@cache
def _discovered() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


def known_scorers() -> tuple[str, ...]:
    """Names that `make_scorer` knows, sorted; nothing is imported for it."""
    return tuple(sorted(_discovered()))


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]


def _factory(name: str) -> Callable[..., object]:
    entries = _discovered().get(name)
    if entries is None:
        raise UnknownNameError("scorer", name, known_scorers())
    if len(entries) > 1:
        packages = " and ".join(sorted(_package(entry) for entry in entries))
        raise ScorerError(name, f"is provided by {packages}: uninstall one of them, or rename its entry point")
    try:
        loaded: object = entries[0].load()
    except (ImportError, AttributeError) as problem:
        raise ScorerError(name, f"of package {_package(entries[0])} cannot be loaded: {problem}") from problem
    if not callable(loaded):
        raise ScorerError(name, f"of package {_package(entries[0])} is no class or function: {entries[0].value}")
    return loaded


def list_scorers() -> tuple[ScorerInfo, ...]:
    """Every known scorer with its form and docstring; imports them all."""
    listed: list[ScorerInfo] = []
    for name in known_scorers():
        factory = _factory(name)
        doc = inspect.getdoc(factory) or ""
        listed.append(
            ScorerInfo(
                name=name,
                form=usage(name, factory),
                summary=doc.partition("\n\n")[0].replace("\n", " "),
                doc=doc,
                package=_package(_discovered()[name][0]),
            )
        )
    return tuple(listed)


def make_scorer(spec: ScorerSpec, *args: Json, folder: Path | str | None = None, **options: Json) -> Scorer:
    """Makes one scorer.

    `spec` is one of:
    - the string form `NAME[:ARG,ARG,key=value]` (quoting: see `boxscore.scoring.arguments`),
    - a bare name, with the arguments given here as Python values,
    - a mapping from a spec file: `{NAME: {key: value}}`, `{NAME: [arg, arg]}`, `{NAME: arg}`, or
      `{name: NAME, args: [arg], key: value}`,
    - a Python function (see `boxscore.scoring.function`), or a scorer, which is returned as it is.

    The option `as` gives the metric another name, so that one scorer can be used twice with different arguments.
    `folder` is where relative paths in the arguments begin (default: the current folder); with `NOWHERE` what reads a
    file or loads code is a ScorerError.
    Raises UnknownNameError for a name that is not known and ScorerError for arguments that do not fit.
    """
    if isinstance(spec, str):
        name, typed_args, typed_options = parse_spec(spec)
        clash = sorted(set(typed_options) & set(options))
        if clash:
            raise ScorerError(name, f"argument {clash[0]!r} is given twice, in the text and beside it")
        return _make(name, [*typed_args, *args], {**typed_options, **options}, folder)
    if isinstance(spec, Mapping):
        name, mapped_args, mapped_options = _from_mapping(cast("Mapping[str, Json]", spec))
        return _make(name, [*mapped_args, *args], {**mapped_options, **options}, folder)
    if isinstance(spec, Scorer) and not inspect.isclass(spec):
        if args or options:
            raise ScorerError(spec.metric.name, "is a made scorer already and takes no further arguments")
        return spec
    if callable(spec):
        return _make("function", [spec, *args], options, folder)
    raise SpecError(f"a scorer is a text, a mapping or a function, not {type(spec).__name__}", key="scorers")


def make_scorers(specs: Iterable[ScorerSpec], *, folder: Path | str | None = None) -> tuple[Scorer, ...]:
    """Makes several; two with one metric name are refused, because the report could not tell them apart."""
    made = tuple(make_scorer(spec, folder=folder) for spec in specs)
    seen: dict[str, Scorer] = {}
    for scorer in made:
        name = scorer.metric.name
        if name in seen:
            raise ScorerError(
                name,
                f"is there twice, as {seen[name].spec!r} and {scorer.spec!r}: name one of them with as=NAME",
            )
        seen[name] = scorer
    return made


def _from_mapping(spec: Mapping[str, Json]) -> tuple[str, list[Json], dict[str, Json]]:
    if "name" in spec:
        name: Json = spec["name"]
        if not isinstance(name, str):
            raise SpecError(f"a scorer's name is a text, not {name!r}", key="scorers")
        args: Json = spec.get("args", [])
        options: dict[str, Json] = {key: value for key, value in spec.items() if key not in ("name", "args")}
        return name, list(cast("Sequence[Json]", args)) if isinstance(args, list | tuple) else [args], options
    if len(spec) != 1:
        raise SpecError(
            f"a scorer is one name with its arguments, {{NAME: {{key: value}}}}, or has a `name`; found the keys "
            f"{', '.join(map(str, spec)) or '(none)'}",
            key="scorers",
        )
    name, value = next(iter(spec.items()))
    if value is None:
        return name, [], {}
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Json]", value)
        return name, list(mapping.get("args", [])), {key: part for key, part in mapping.items() if key != "args"}
    if isinstance(value, list):
        return name, cast("list[Json]", value), {}
    return name, [value], {}


def _make(name: str, args: Sequence[Json], options: Mapping[str, Json], folder: Path | str | None) -> Scorer:
    factory = _factory(name)
    options = dict(options)
    label: Json = options.pop("as", None)
    bound_args, bound_options = bind(name, factory, args, options)
    if folder is not None and "folder" in inspect.signature(factory).parameters:
        if Path(folder) == NOWHERE:
            _refuse_reach(name, bound_args, bound_options)
        bound_options["folder"] = Path(folder)
    made = factory(*bound_args, **bound_options)
    if not isinstance(made, Scorer):
        raise ScorerError(name, f"its factory gave {type(made).__name__}, which has no spec, metric and score")
    if label is None:
        return made
    if not isinstance(label, str) or not label:
        raise ScorerError(name, f"argument 'as' cannot be {label!r}: it takes a name for the metric")
    return Renamed(made, label)


def _refuse_reach(name: str, args: Sequence[Json], options: Mapping[str, Json]) -> None:
    """Of scorers that take a folder, those that would look into one. Others of ours hand it on to the scorers inside;
    what others would do with it nobody knows."""
    if name == "schema":
        schema: Json = args[0] if args else options.get("schema")
        if isinstance(schema, str) and not schema.lstrip().startswith("{"):
            raise ScorerError(name, "a spec that is sent to a server names no files: write the schema into it")
    elif name not in ("all", "any", "checks", "weighted"):
        raise ScorerError(name, "a spec that is sent to a server loads no code: this scorer is for local runs")


class Renamed:
    """A scorer under another metric name (`as=`)."""

    def __init__(self, scorer: Scorer, label: str) -> None:
        self._scorer = scorer
        joint = "," if ":" in scorer.spec else ":"
        self.spec: str = f"{scorer.spec}{joint}as={quote(label, option=True)}"
        self.metric: Metric = msgspec.structs.replace(scorer.metric, name=label)

    def score(self, example: Example, response: Response) -> Score:
        return self._scorer.score(example, response)
