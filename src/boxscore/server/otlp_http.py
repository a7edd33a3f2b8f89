"""OTLP over HTTP: `POST /v1/traces`, plain ASGI, for this is the road that every span takes.

Statuses as the protocol wants them (opentelemetry.io/docs/specs/otlp, section OTLP/HTTP): 200 when all is on disk, with
a partial success where spans were rejected; 400 for what no sending again makes good; 503 with `Retry-After` for now.
"""

import msgspec

from boxscore.errors import BoxscoreError, BusyError, RequestError, StoreError, TimeLimitError, UsageError
from boxscore.server.body import GoneError, Receive, Scope, Send, header, read_body, respond
from boxscore.server.errors import error_headers, status_of
from boxscore.server.service import Service
from boxscore.tracing.otlp_json import varint

__all__ = ["OtlpHttp", "rpc_code", "rpc_status"]

_OF_CALLERS = {"unauthenticated": 16, "forbidden": 7, "not_found": 5}
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"


class OtlpHttp:
    """The application behind `/v1/traces`, in the request's own format."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = header(scope, b"content-type").partition(";")[0].strip().lower()
        try:
            answer = await self._take(scope, receive, kind)
        except GoneError:
            return
        except BoxscoreError as error:
            self._service.meters.refused(error)
            close = [(b"connection", b"close")] if isinstance(error, RequestError) else []
            body = _status_json(error) if kind == _JSON else rpc_status(error)
            said = _JSON if kind == _JSON else _PROTOBUF
            await respond(send, status_of(error), body, kind=said.encode(), headers=[*error_headers(error), *close])
            return
        await respond(send, 200, answer, kind=kind.encode())

    async def _take(self, scope: Scope, receive: Receive, kind: str) -> bytes:
        caller = await self._service.access.caller(scope)
        caller.require("ingest")
        if scope["method"] != "POST":
            raise RequestError("method", "spans are sent to /v1/traces by POST.")
        if kind not in (_PROTOBUF, _JSON):
            raise RequestError("media_type", f"spans come as {_PROTOBUF} or {_JSON}, not as {kind[:60]!r}.")
        body = await read_body(scope, receive, most=self._service.limits.body_bytes, budget=self._service.bodies)
        ingest = self._service.ingest
        take = ingest.protobuf if kind == _PROTOBUF else ingest.json
        return await self._service.put(lambda: take(caller.project, body))


def rpc_code(error: BoxscoreError) -> int:
    """Of google.rpc: 3 invalid argument, 4 deadline exceeded, 5 not found, 7 permission denied, 8 resource exhausted,
    13 internal, 14 unavailable, 16 unauthenticated."""
    if (code := _OF_CALLERS.get(error.code)) is not None:
        return code
    if isinstance(error, BusyError):
        return 8
    if isinstance(error, StoreError):
        return 14
    if isinstance(error, TimeLimitError):
        return 4
    return 3 if isinstance(error, UsageError) else 13


def rpc_status(error: BoxscoreError) -> bytes:
    """`google.rpc.Status` in protobuf: 1 the code, 2 the message; with a `RetryInfo` where waiting helps."""
    text = str(error).encode()
    status = b"\x08" + varint(rpc_code(error)) + b"\x12" + varint(len(text)) + text
    if isinstance(error, BusyError):
        seconds = varint(max(1, round(error.retry_after_s)))
        duration = b"\x08" + seconds
        retry = b"\x0a" + varint(len(duration)) + duration
        name = b"type.googleapis.com/google.rpc.RetryInfo"
        detail = b"\x0a" + varint(len(name)) + name + b"\x12" + varint(len(retry)) + retry
        status += b"\x1a" + varint(len(detail)) + detail
    return status


def _status_json(error: BoxscoreError) -> bytes:
    return msgspec.json.encode({"code": rpc_code(error), "message": str(error)})
