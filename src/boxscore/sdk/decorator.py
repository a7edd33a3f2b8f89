"""`boxscore.trace`: a decorator for functions of every kind, and a `with` block."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextvars import Token
from functools import partial, update_wrapper
from types import TracebackType
from typing import ParamSpec, TypeVar, cast, overload

from opentelemetry.context import Context, get_current
from opentelemetry.util.types import AttributeValue

from boxscore.sdk.call import Call, Naming, begin
from boxscore.sdk.contexts import detach, metadata_attributes
from boxscore.sdk.notices import tell
from boxscore.sdk.span import Span
from boxscore.sdk.streams import Stream, is_stream
from boxscore.types import Json

__all__ = ["Trace", "trace"]

P = ParamSpec("P")
R = TypeVar("R")


@overload
def trace(target: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def trace(
    target: str | None = None,
    /,
    *,
    operation: str | None = None,
    step: str | None = None,
    metadata: Mapping[str, Json] | None = None,
    input: bool = True,
    output: bool = True,
) -> "Trace": ...
def trace(
    target: Callable[P, R] | str | None = None,
    /,
    *,
    operation: str | None = None,
    step: str | None = None,
    metadata: Mapping[str, Json] | None = None,
    input: bool = True,
    output: bool = True,
) -> "Callable[P, R] | Trace":
    """Traces a function, or a block.

    >>> @trace
    ... def answer(question): ...
    >>> @trace("look up", operation="retrieval")
    ... async def find(question): ...
    >>> with trace("rank") as span:
    ...     _ = span.output([3, 1, 2])

    A function may be sync or async, a generator or an async generator, or return a stream: the span ends when the last
    part was taken. Arguments and result are kept unless `input` or `output` is False. `operation` is one of
    OpenTelemetry's GenAI conventions (`chat`, `retrieval`, `execute_tool`, `invoke_agent`, …), `step` the place in a
    chain, by default the name.
    """
    if target is not None and not isinstance(target, str):
        return Trace(None, _NOTHING, input, output)(target)
    if operation is None and step is None and not metadata:
        return Trace(target, _NOTHING, input, output)
    told = {"boxscore.operation": operation, "boxscore.step": step}
    attributes: dict[str, AttributeValue] = {key: str(value) for key, value in told.items() if value is not None}
    attributes.update(metadata_attributes(metadata or {}))
    return Trace(target, attributes, input, output)


_NOTHING: Mapping[str, AttributeValue] = {}


class Trace:
    """What `trace` gives when it is not given a function: decorates one, or is entered by `with`."""

    def __init__(self, name: str | None, attributes: Mapping[str, AttributeValue], input: bool, output: bool) -> None:
        self._name = name
        self._attributes = attributes
        self._input = input
        self._output = output
        self._open: dict[int, tuple[Call | None, Token[Context] | None]] = {}  # by the identity of the context inside

    def __enter__(self) -> Span:
        call = begin(Naming(self._name or "block", self._name, self._attributes))
        token = None if call is None else call.attach()
        self._open[id(get_current())] = call, token
        return Span() if call is None else Span(call.span)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        here = id(get_current())
        if here not in self._open:  # ended in another context than it began in
            here = next(reversed(self._open), here)
        call, token = self._open.pop(here, (None, None))
        if token is not None:
            detach(token)
        if call is not None:
            call.ended(error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with a span around each call; its signature, kind and results stay as they are."""
        if isinstance(function, staticmethod | classmethod):
            wrapped = self(cast("Callable[..., object]", function.__func__))  # pyright: ignore[reportUnknownMemberType]
            return cast("Callable[P, R]", type(function)(wrapped))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if isinstance(function, type):
            tell("class", f"class {function.__qualname__} is not traced: trace its methods.")
            return function
        start = _Start(self._name, self._attributes, self._input, self._output, function)
        if inspect.isasyncgenfunction(function):
            made: object = _async_generator(function, start)
        elif inspect.isgeneratorfunction(function):
            made = _generator(function, start)
        elif inspect.iscoroutinefunction(function):
            made = _coroutine(function, start)
        else:
            made = _plain(function, start)
        return cast("Callable[P, R]", update_wrapper(cast("Callable[P, R]", made), function))


class _Start:
    """Begins the calls of one function."""

    __slots__ = ("_input", "_names", "_naming", "_output", "_own", "_rest")

    def __init__(
        self,
        name: str | None,
        attributes: Mapping[str, AttributeValue],
        input: bool,
        output: bool,
        function: Callable[..., object],
    ) -> None:
        qualified = getattr(function, "__qualname__", None) or type(function).__qualname__
        called = name or str(qualified).rpartition("<locals>.")[2]
        self._naming = Naming(called, called, attributes)
        self._input = input
        self._output = output
        self._names, self._rest = _parameters(function)
        self._own = self._names[0] if self._names and self._names[0] in ("self", "cls") else None

    def __call__(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Call | None:
        call = begin(self._naming, self._inputs(args, kwargs) if self._input else None)
        if call is not None:
            call.keeps_output = self._output
        return call

    def _inputs(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        names = self._names
        inputs: dict[str, object] = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            inputs[self._rest] = args[len(names) :]
        if self._own is not None:
            inputs.pop(self._own, None)
        if kwargs:
            inputs.update(kwargs)
        return inputs


def _parameters(function: Callable[..., object]) -> tuple[tuple[str, ...], str]:
    """Names of the positional parameters, and of what takes the rest."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return (), "args"
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return tuple(names), next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")


_WHOLE = frozenset({str, bytes, int, float, bool, dict, list, tuple, set, type(None)})
"""What most functions return: neither awaited nor a stream."""


def _plain(function: Callable[..., object], start: _Start) -> Callable[..., object]:
    def traced(*args: object, **kwargs: object) -> object:
        call = start(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        token = call.attach()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            detach(token)
            call.ended(error)
            raise
        detach(token)
        if type(result) not in _WHOLE:
            if inspect.iscoroutine(result):
                return _awaited(result, call)
            if is_stream(result):
                return Stream(result, call)
        call.returned(result)
        return result

    return traced


def _coroutine(function: Callable[..., Awaitable[object]], start: _Start) -> Callable[..., object]:
    async def traced(*args: object, **kwargs: object) -> object:
        call = start(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        return await _awaited(function(*args, **kwargs), call)

    return traced


async def _awaited(awaitable: Awaitable[object], call: Call) -> object:
    token = call.attach()
    try:
        result = await awaitable
    except BaseException as error:
        detach(token)
        call.ended(error)
        raise
    detach(token)
    if is_stream(result):
        return Stream(result, call)
    call.returned(result)
    return result


def _generator(function: Callable[..., Generator[object, object, object]], start: _Start) -> Callable[..., object]:
    def traced(*args: object, **kwargs: object) -> Generator[object, object, object]:
        inner = function(*args, **kwargs)
        call = start(args, kwargs)
        if call is None:
            return (yield from inner)
        resume: Callable[[], object] = partial(inner.send, None)
        while True:
            token = call.attach()
            try:
                part = resume()
            except StopIteration as stop:
                call.exhausted(stop.value)
                return stop.value
            except BaseException as error:
                call.ended(error)
                raise
            finally:
                detach(token)
            call.part(part)
            try:
                resume = partial(inner.send, (yield part))
            except GeneratorExit:
                call.exhausted(None)
                inner.close()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in from outside, for the generator to see
                resume = partial(inner.throw, error)

    return traced


def _async_generator(function: Callable[..., AsyncGenerator[object, object]], start: _Start) -> Callable[..., object]:
    async def traced(*args: object, **kwargs: object) -> AsyncGenerator[object, object]:
        inner = function(*args, **kwargs)
        call = start(args, kwargs)
        if call is None:
            call = Call.unseen()
        resume: Callable[[], Awaitable[object]] = partial(inner.asend, None)
        while True:
            token = call.attach()
            try:
                part = await resume()
            except StopAsyncIteration:
                call.exhausted(None)
                return
            except BaseException as error:
                call.ended(error)
                raise
            finally:
                detach(token)
            call.part(part)
            try:
                resume = partial(inner.asend, (yield part))
            except GeneratorExit:
                call.exhausted(None)
                await inner.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in from outside, for the generator to see
                resume = partial(inner.athrow, error)

    return traced
