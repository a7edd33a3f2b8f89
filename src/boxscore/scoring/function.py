"""The `function` scorer: any Python function of yours."""

import contextlib
import importlib
import importlib.util
import inspect
import math
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.scorer import Metric, Score

__all__ = ["FunctionScorer"]

# What a function may ask for, by the names of its parameters.
_OFFERED = ("example", "response", "output", "reference", "inputs", "metadata")


class FunctionScorer:
    """A Python function of yours gives the score: true or false, a number, or a `boxscore.scoring.Score`.

    Where it comes from: `function:scorers.py:polite` is the function `polite` of the file `scorers.py`, seen from the
    current folder (or the spec file's); `function:package.module:polite` is imported from the installed packages. In
    Python the function itself is passed. Only a file that you name is run, and nothing is added to the import path.

    What it is given is read from its parameters' names: any of `example`, `response`, `output` (the answer's text),
    `reference`, `inputs`, `metadata`. `kind=` is `rate` (0 or 1), `mean` (0 to 1) or `amount` (any number, with
    `unit=`); by default `rate` when the function is annotated to return bool, else `mean`. `better=lower` says that
    less is better. NaN, infinity, None and text are refused, with the example's id; so is an exception.

    Lies as much as the function does. The record keeps the function's place, not its code: a changed function gives
    other scores under the same name.
    """

    def __init__(
        self,
        function: str | Callable[..., object],
        *,
        kind: Literal["rate", "mean", "amount"] | None = None,
        better: Literal["higher", "lower"] = "higher",
        unit: str = "",
        folder: Path | None = None,
    ) -> None:
        place = function if isinstance(function, str) else _place(function)
        self._function = _load(function, folder) if isinstance(function, str) else function
        self._name = place.rpartition(":")[2].rpartition(".")[2]
        self._wants = self._parameters()
        kind_or_default = kind or self._default_kind()
        self.spec: str = format_spec(
            "function",
            [place],
            {"kind": kind, "better": None if better == "higher" else better, "unit": unit or None},
        )
        self.metric: Metric = Metric(name=self._name, kind=kind_or_default, better=better, unit=unit)

    def score(self, example: Example, response: Response) -> Score:
        offered: dict[str, object] = {
            "example": example,
            "response": response,
            "output": response.output,
            "reference": example.reference,
            "inputs": example.inputs,
            "metadata": example.metadata,
        }
        try:
            given = self._function(**{name: offered[name] for name in self._wants})
        except Exception as problem:
            raise ScorerError(self._name, f"raised {type(problem).__name__}: {problem}", example_id=example.id) from (
                problem
            )
        score = given if isinstance(given, Score) else self._scored(given, example.id)
        if score.value is not None:
            self._check(score.value, example.id)
        return score

    def _scored(self, given: object, example_id: str) -> Score:
        # numpy's numbers and booleans have `item`; they are unpacked without importing numpy.
        item = getattr(given, "item", None)
        if callable(item) and not isinstance(given, int | float):
            with contextlib.suppress(TypeError, ValueError):
                given = item()
        if not isinstance(given, bool | int | float):
            raise ScorerError(
                self._name,
                f"gave {given!r}, which is no score; return true or false, a number, or a Score",
                example_id=example_id,
            )
        return Score(value=float(given), label=str(given).lower() if isinstance(given, bool) else None)

    def _check(self, value: float, example_id: str) -> None:
        kind = self.metric.kind
        if not math.isfinite(value):
            problem = f"gave {value}, which is no number that can be averaged"
        elif kind == "rate" and value not in (0, 1):
            problem = f"gave {value:g}, and a rate is 0 or 1: say kind=mean or kind=amount"
        elif kind == "mean" and not 0 <= value <= 1:
            problem = f"gave {value:g}, and a mean lies between 0 and 1: say kind=amount"
        else:
            return
        raise ScorerError(self._name, problem, example_id=example_id)

    def _parameters(self) -> tuple[str, ...]:
        try:
            parameters = list(inspect.signature(self._function).parameters.values())
        except (TypeError, ValueError):
            raise ScorerError("function", f"{self._name!r} has no signature to read; wrap it in a def") from None
        wants = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        wants += [p.name for p in parameters if p.default is not p.empty and p.name in _OFFERED]
        strange = [
            p.name for p in parameters if p.kind is p.POSITIONAL_ONLY or (p.name in wants) > (p.name in _OFFERED)
        ]
        if strange or not wants:
            what = f"parameter {strange[0]!r}" if strange else "no parameter"
            raise ScorerError(
                "function", f"{self._name!r} has {what}; name its parameters after what it needs: {', '.join(_OFFERED)}"
            )
        return tuple(wants)

    def _default_kind(self) -> Literal["rate", "mean"]:
        try:
            returned = typing.get_type_hints(self._function).get("return")
        except (NameError, TypeError):
            returned = None
        return "rate" if returned is bool else "mean"


def _place(function: Callable[..., object]) -> str:
    name = getattr(function, "__qualname__", type(function).__name__)
    return f"{getattr(function, '__module__', '?')}:{name}"


def _load(place: str, folder: Path | None) -> Callable[..., object]:
    source, colon, name = place.rpartition(":")
    if not colon or not source or not name:
        raise ScorerError("function", f"argument 'function' is FILE.py:NAME or package.module:NAME, not {place!r}")
    module = _from_file(source, folder) if source.endswith(".py") else _from_module(source)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        functions = sorted(key for key, value in vars(module).items() if inspect.isfunction(value))
        known = f"; it has {', '.join(functions)}" if functions else ""
        raise ScorerError("function", f"there is no {name!r} in {source!r}{known}")
    if not callable(found):
        raise ScorerError("function", f"{name!r} in {source!r} is no function, but {type(found).__name__}")
    return found


def _from_module(name: str) -> object:
    try:
        return importlib.import_module(name)
    except Exception as problem:
        hint = f" (a file of your own is given as {name.replace('.', '/')}.py:NAME)" if _missing(problem, name) else ""
        raise ScorerError("function", f"module {name!r} cannot be imported: {problem}{hint}") from problem


def _missing(problem: Exception, name: str) -> bool:
    return isinstance(problem, ModuleNotFoundError) and problem.name == name.partition(".")[0]


def _from_file(source: str, folder: Path | None) -> object:
    path = ((folder or Path()) / source).resolve()
    if not path.is_file():
        raise ScorerError("function", f"there is no file {str(path)!r}")
    # A private name: the file cannot shadow a module, and two files of one name do not meet.
    name = f"_boxscore_scorer_{path.stem}_{abs(hash(str(path))):x}"
    loader_spec = importlib.util.spec_from_file_location(name, path)
    if loader_spec is None or loader_spec.loader is None:
        raise ScorerError("function", f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(loader_spec)
    sys.modules[name] = module  # dataclasses and type hints look their module up
    try:
        loader_spec.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[name]
        raise ScorerError("function", f"{str(path)!r} cannot be run: {type(problem).__name__}: {problem}") from problem
    return module
