"""A body that is too large for memory, streamed to a temporary file."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request

from boxscore.errors import RequestError
from boxscore.server.body import GoneError

__all__ = ["uploaded"]

_FLUSH = 1024 * 1024


@asynccontextmanager
async def uploaded(request: Request, name: str, *, most: int) -> AsyncGenerator[Path]:
    """The body as a file called `name`, alone in a folder that is gone afterwards. `RequestError` of kind too_large
    beyond `most` bytes, media_type for a body that is compressed; `GoneError`."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RequestError("media_type", "a file is sent as it is, without a content encoding.")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        raise _too_large(most)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="boxscore-upload-"))
    try:
        path = folder / name
        with path.open("wb") as file:
            size = 0
            waiting = bytearray()
            while True:
                event = await request.receive()
                if event.get("type") != "http.request":
                    raise GoneError
                part = event.get("body", b"")
                size += len(part)
                if size > most:
                    raise _too_large(most)
                waiting += part
                more = event.get("more_body", False)
                if len(waiting) >= _FLUSH or not more:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
                if not more:
                    break
        yield path
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _too_large(most: int) -> RequestError:
    return RequestError("too_large", f"the file is larger than {most / 1024 / 1024:g} MB: nothing was kept of it.")
