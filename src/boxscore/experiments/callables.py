"""A Python function as a variant."""

import asyncio
import contextvars
import functools
import hashlib
import inspect
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType
from typing import cast

from boxscore.costs import PriceRow
from boxscore.datasets.example import Example
from boxscore.errors import ProviderError, SpecError
from boxscore.experiments.answers import response_from
from boxscore.experiments.identity import digest, utc_now
from boxscore.experiments.pricing import priced
from boxscore.experiments.trial import VariantInfo
from boxscore.providers.response import Response
from boxscore.types import Json

# What cannot be compared between processes gets a name that no other process has: its answers are never mixed up.
_HERE = secrets.token_hex(8)


class CallableVariant:
    """A function of yours: it is given an example's inputs and gives back text, a mapping with `output` (and `usage`,
    `cost_usd`, `model`, …), or a `Response`. Sync functions run in threads, async ones in the event loop.

    A function with one parameter named `inputs` (or annotated as a mapping) gets all inputs in it; otherwise it gets
    those inputs by keyword that it has parameters for.

    The identity is the function's source, with what it closes over, its defaults and bound arguments. What it calls is
    not seen: when that changes, pass another `identity`, or run fresh.
    """

    kind = "python"

    def __init__(
        self,
        function: Callable[..., object],
        *,
        name: str,
        model: str | None = None,
        identity: str | None = None,
        timeout_s: float = 120.0,
        prices: PriceRow | None = None,
    ) -> None:
        self._function = function
        self._prices = prices
        self._timeout_s = timeout_s
        self._parameters = _parameters(function, name)
        self._whole = _takes_all(self._parameters)
        self.description: dict[str, Json] = {
            "kind": self.kind,
            "model": model,
            "function": identity if identity is not None else describe(function),
        }
        self.info = VariantInfo(name=name, hash=digest(self.description), model=model)

    def check(self, examples: Iterable[Example]) -> None:
        """A `SpecError` for the first example that lacks an input the function needs."""
        for example in examples:
            missing = self._missing(example.inputs)
            if missing:
                raise SpecError(
                    f"variant {self.info.name!r} needs the input {missing[0]!r}, and example {example.id!r} has only "
                    f"{', '.join(example.inputs) or 'none'}; a function with one parameter 'inputs' gets all of them."
                )

    async def answer(self, example: Example, *, repeat: int) -> Response:
        call = self._call(example.inputs)
        try:
            async with asyncio.timeout(self._timeout_s):
                if _is_async(self._function):
                    answer = await cast("asyncio.Future[object]", call())
                else:
                    answer = await _in_thread(call)
                    if inspect.isawaitable(answer):
                        answer = await answer
        except TimeoutError as error:
            raise ProviderError(
                "timeout", f"it did not answer within {self._timeout_s:g} s.", provider=self.info.name
            ) from error
        response = response_from(answer, name=self.info.name)
        if self._prices is not None:
            return priced(response, model=self.info.model, at=utc_now(), row=self._prices)
        return response

    async def close(self) -> None:
        """Nothing to let go of."""

    def _missing(self, inputs: Mapping[str, Json]) -> list[str]:
        if self._whole:
            return []
        return [
            name
            for name, parameter in self._parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            and name not in inputs
        ]

    def _call(self, inputs: Mapping[str, Json]) -> Callable[[], object]:
        if self._whole:
            return functools.partial(self._function, dict(inputs))
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in self._parameters.values()):
            return functools.partial(self._function, **inputs)
        known = {key: value for key, value in inputs.items() if key in self._parameters}
        return functools.partial(self._function, **known)


def describe(function: object, depth: int = 0) -> Json:
    """What tells one function from another, in JSON: name, source, closed-over values, defaults, bound arguments.

    A value that has no stable form (a connection, a lock) makes the description unlike any other process's, so that
    nothing is reused that might differ.
    """
    if function is None or isinstance(function, str | int | float | bool):
        return function
    if depth > 6:
        return _unlike(function)
    below = functools.partial(describe, depth=depth + 1)
    if isinstance(function, functools.partial):
        partial = cast("functools.partial[object]", function)
        return ["partial", below(partial.func), below(partial.args), below(partial.keywords)]
    if isinstance(function, list | tuple):
        return [below(item) for item in cast("list[object]", function)]
    if isinstance(function, dict):
        return {str(key): below(value) for key, value in cast("dict[object, object]", function).items()}
    if inspect.ismethod(function):
        return ["method", below(function.__func__), below(function.__self__)]
    if isinstance(function, FunctionType):
        closed = [_cell(cell) for cell in function.__closure__ or ()]
        return [
            function.__module__,
            function.__qualname__,
            _source(function),
            below(closed),
            below(function.__defaults__),
            below(function.__kwdefaults__),
        ]
    if isinstance(function, type) or inspect.isbuiltin(function) or inspect.ismodule(function):
        return ["named", getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function))]
    state = getattr(function, "__dict__", None)
    if isinstance(state, dict) and type(function).__module__ != "builtins":
        kind = type(function)
        return ["object", kind.__module__, kind.__qualname__, _class_source(kind), below(cast("object", state))]
    return _unlike(function)


def _source(function: FunctionType) -> Json:
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = ""
    # The code tells apart what shares a line of source (two lambdas), and stands in where there is no source.
    return [text, _code(function.__code__)]


def _class_source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return _unlike(kind)


def _code(code: CodeType) -> Json:
    return [hashlib.sha256(code.co_code).hexdigest(), [_constant(item) for item in code.co_consts], list(code.co_names)]


def _constant(item: object) -> Json:
    if isinstance(item, CodeType):
        return _code(item)
    if isinstance(item, frozenset):  # its order differs from process to process
        return sorted(map(repr, cast("frozenset[object]", item)))
    return repr(item)


def _cell(cell: object) -> object:
    try:
        return getattr(cell, "cell_contents", None)
    except ValueError:
        return None


def _unlike(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__} {_HERE} {id(value)}"


def _parameters(function: Callable[..., object], name: str) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError) as error:
        raise SpecError(f"variant {name!r}: the parameters of {function!r} cannot be read: {error}.") from error


def _takes_all(parameters: Mapping[str, inspect.Parameter]) -> bool:
    plain = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in parameters.values() if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    required = [p for p in plain if p.default is p.empty]
    if needed or not plain or len(required) > 1:
        return False
    first = plain[0]
    return first.name == "inputs" or first.kind is first.POSITIONAL_ONLY or _is_mapping(first.annotation)


def _is_mapping(annotation: object) -> bool:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.rpartition(".")[2].split("[")[0].lower() in ("dict", "mapping")


def _is_async(function: Callable[..., object]) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function)


async def _in_thread(call: Callable[[], object]) -> object:
    """The call in a thread of its own: a pool would queue calls behind those that hang, and hold up the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def finish(answer: object, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(answer)

    def work() -> None:
        try:
            answer, error = call(), None
        except StopIteration as stop:  # a future cannot carry it
            answer, error = None, RuntimeError(f"StopIteration: {stop}")
        except BaseException as failure:  # noqa: BLE001 - it belongs to the one who waits
            answer, error = None, failure
        try:
            loop.call_soon_threadsafe(finish, answer, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    call = functools.partial(contextvars.copy_context().run, call)
    threading.Thread(target=work, name="boxscore-callable", daemon=True).start()
    return await done
