"""A stream that a traced function returned: what it gives passes through, and its end ends the span."""

import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

from boxscore.sdk.call import Call
from boxscore.sdk.contexts import detach

__all__ = ["Stream", "is_stream"]


def is_stream(value: object) -> bool:
    """An iterator that can be closed, as generators and the streams of clients are; files are not meant."""
    kind = type(value)
    return (
        (hasattr(kind, "__next__") and hasattr(kind, "close"))
        or (hasattr(kind, "__anext__") and (hasattr(kind, "aclose") or hasattr(kind, "close")))
    ) and not isinstance(value, io.IOBase)


class Stream:
    """Stands in for `stream`, whose attributes it has and whose kind it says it is."""

    def __init__(self, stream: object, call: Call) -> None:
        self._boxscore_stream: Any = stream
        self._boxscore_call = call
        self._boxscore_open = True

    @property
    def __class__(self) -> type:
        return self._boxscore_stream.__class__

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise TypeError("the kind of a stream cannot be changed")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._boxscore_stream, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - whatever the stream gives
        token = self._boxscore_call.attach()
        try:
            part = next(self._boxscore_stream)
        except StopIteration:
            self._boxscore_end(None)
            raise
        except BaseException as error:
            self._boxscore_end(error)
            raise
        finally:
            detach(token)
        self._boxscore_call.part(part)
        return part

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - whatever the stream gives
        token = self._boxscore_call.attach()
        try:
            part = await anext(self._boxscore_stream)
        except StopAsyncIteration:
            self._boxscore_end(None)
            raise
        except BaseException as error:
            self._boxscore_end(error)
            raise
        finally:
            detach(token)
        self._boxscore_call.part(part)
        return part

    def __enter__(self) -> "Stream":
        self._boxscore_stream.__enter__()
        return self

    def __exit__(self, *what: Any) -> Any:  # noqa: ANN401 - as the stream's own
        self._boxscore_end(what[1])
        return self._boxscore_stream.__exit__(*what)

    async def __aenter__(self) -> "Stream":
        await self._boxscore_stream.__aenter__()
        return self

    async def __aexit__(self, *what: Any) -> Any:  # noqa: ANN401 - as the stream's own
        self._boxscore_end(what[1])
        return await self._boxscore_stream.__aexit__(*what)

    def close(self) -> Any:  # noqa: ANN401 - some have to be awaited
        self._boxscore_end(None)
        return self._boxscore_stream.close()

    def aclose(self) -> Any:  # noqa: ANN401 - to be awaited
        self._boxscore_end(None)
        return self._boxscore_stream.aclose()

    def __del__(self) -> None:
        self._boxscore_end(None)

    def _boxscore_end(self, error: BaseException | None) -> None:
        if self._boxscore_open:
            self._boxscore_open = False
            if error is not None:
                self._boxscore_call.ended(error)
            else:
                self._boxscore_call.exhausted(None)
