"""OTLP over gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, bytes in and bytes out.

Codes as the protocol wants them (opentelemetry.io/docs/specs/otlp, section OTLP/gRPC): RESOURCE_EXHAUSTED with a
`RetryInfo`, or UNAVAILABLE, for what may be sent again; INVALID_ARGUMENT for what may not.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol, cast

import grpc
import grpc.aio

from boxscore.errors import BoxscoreError, BusyError, TimeLimitError, UnreadableTracesError
from boxscore.server.errors import OUR_FAULT
from boxscore.server.logs import log
from boxscore.server.otlp_http import rpc_code, rpc_status
from boxscore.server.service import Service

__all__ = ["OtlpGrpc"]

SERVICE, METHOD = "opentelemetry.proto.collector.trace.v1.TraceService", "Export"
CALLS = 1_000
"""At once; what is beyond is refused by gRPC itself, without a word about when to come again."""
READING = 16
"""Messages that are being received at once."""
SHARE = 2
"""gRPC holds messages whole before we see them, so that one is at most this part of what a body over HTTP may be."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_NOTHING = UnreadableTracesError("protobuf", "the call has no message")


class _Context(Protocol):
    async def abort(self, code: object, details: str, trailing_metadata: object) -> None: ...

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...

    def peer(self) -> str: ...


class OtlpGrpc:
    """A listener beside the HTTP server, in the same event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: Any = None
        self._reading = 0

    async def start(self, host: str, port: int) -> int | None:
        """The port that it listens on, None when that port is taken."""
        most = self._service.limits.body_bytes // SHARE
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=CALLS,
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_metadata_size", self._service.limits.header_bytes),
                ("grpc.so_reuseport", 0),
                ("grpc.max_connection_idle_ms", int(self._service.limits.idle_s * 1000)),
                ("grpc.keepalive_time_ms", 60_000),
            ],
        )
        # As a stream of one message, so that we are asked before it is received; without serialisers bytes stay bytes.
        handler = cast(Any, grpc).stream_unary_rpc_method_handler(self._export)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        try:
            bound = self._server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except RuntimeError:
            return None
        await self._server.start()
        return cast(int, bound)

    async def stop(self, seconds: float) -> None:
        """Takes no more calls, and gives those under way that long."""
        if self._server is not None:
            await self._server.stop(seconds)

    async def _export(self, messages: AsyncIterator[bytes], context: _Context) -> bytes:
        meters = self._service.meters
        meters.open += 1
        try:
            metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
            caller = await self._service.access.caller_of_rpc(metadata, context.peer())
            caller.require("ingest")
            body = await self._read(messages)
            return await self._service.put(lambda: self._service.ingest.protobuf(caller.project, body))
        except BoxscoreError as error:
            meters.refused(error)
            trailing = (("grpc-status-details-bin", rpc_status(error)),)
            await context.abort(_CODES[rpc_code(error)], str(error), trailing)
            raise
        except Exception:
            log.exception("a fault of Boxscore itself, please report it:")
            await context.abort(grpc.StatusCode.INTERNAL, str(OUR_FAULT), ())
            raise
        finally:
            meters.open -= 1

    async def _read(self, messages: AsyncIterator[bytes]) -> bytes:
        if self._reading >= READING:
            raise BusyError("too many calls send their messages at once", retry_after_s=1.0)
        self._reading += 1
        limit_s = self._service.limits.header_s
        try:
            async with asyncio.timeout(limit_s):
                async for body in messages:
                    return body
        except TimeoutError:
            raise TimeLimitError(
                f"the message took longer than {limit_s:g} s: nothing was kept of it.", limit_s=limit_s
            ) from None
        finally:
            self._reading -= 1
        raise _NOTHING
