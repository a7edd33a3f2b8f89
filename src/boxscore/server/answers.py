"""Answers of the API: bounded pages, sent as fast as they are read."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from boxscore.client.forms import encode
from boxscore.errors import BoxscoreError
from boxscore.server.errors import error_body, error_headers, status_of
from boxscore.server.limits import Budget
from boxscore.store.spans import Page, StoredSpan, TraceSummary

__all__ = ["Answer", "found_or_none", "paged", "previewed", "problem"]

PAGE_BYTES = 4 * 1024 * 1024
"""Texts and raw bytes of a page; the span that exceeds it is its last but for the few read with it."""
PREVIEW = 240
"""Characters of a text that a list shows."""
FIRST_STEP, GROWTH = 8, 128
_PIECE = 64 * 1024

AnyPage = TypeVar("AnyPage", bound="Page[StoredSpan] | Page[TraceSummary]")


class Answer(Response):
    """JSON. A long one goes out in pieces, each when the one before was read, and takes of `budget`
    until then: slow readers cannot fill the memory."""

    def __init__(self, body: bytes, budget: Budget, status: int = 200, media: str = "application/json") -> None:
        super().__init__(body, status, media_type=media)
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = memoryview(bytes(self.body))
        if len(body) <= _PIECE:
            await super().__call__(scope, receive, send)
            return
        with self._budget.holding(len(body)):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for at in range(0, len(body), _PIECE):
                more = at + _PIECE < len(body)
                await send({"type": "http.response.body", "body": bytes(body[at : at + _PIECE]), "more_body": more})


def problem(error: BoxscoreError) -> Response:
    """The error in the one shape."""
    headers: Mapping[str, str] = {name.decode(): value.decode() for name, value in error_headers(error)}
    return Response(error_body(error), status_of(error), headers, "application/json")


def paged(page: Callable[[int, str | None], AnyPage], limit: int, cursor: str | None, *, whole: bool = True) -> AnyPage:
    """A page of at most `limit` items and about `PAGE_BYTES`: those that are `whole` are read in steps that grow while
    spans are small."""
    if not whole:
        return page(limit, cursor)
    items: list[StoredSpan | TraceSummary] = []
    size, step = 0, FIRST_STEP
    while True:
        found = page(min(step, limit - len(items)), cursor)
        items += found.items
        size += sum(map(_size, found.items))
        cursor = found.cursor
        if cursor is None or len(items) >= limit or size >= PAGE_BYTES or not found.items:
            return msgspec.structs.replace(found, items=items)
        left = (PAGE_BYTES - size) * len(items) // max(size, 1)
        step = max(FIRST_STEP, min(left, GROWTH * step))


def previewed(span: StoredSpan) -> StoredSpan:
    """The span with no more of its texts than a list shows."""
    return msgspec.structs.replace(
        span,
        input_text=span.input_text[:PREVIEW],
        output_text=span.output_text[:PREVIEW],
        raw=b"",
        resource=b"",
        scope=b"",
    )


def found_or_none(page: Page[StoredSpan] | Page[TraceSummary], cursor: str | None) -> bytes | None:
    """The page's JSON, None for one without items that is the first."""
    return encode(page) if page.items or cursor is not None else None


def _size(item: StoredSpan | TraceSummary) -> int:
    span = item.entry if isinstance(item, TraceSummary) else item
    texts = len(span.input_text) + len(span.output_text) + sum(map(len, span.metadata.values()))
    return len(span.raw) + len(span.resource) + len(span.scope) + texts
