"""OTLP over gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, bytes in and bytes out.

Codes as the protocol wants them (opentelemetry.io/docs/specs/otlp, section OTLP/gRPC): RESOURCE_EXHAUSTED with a
`RetryInfo`, or UNAVAILABLE, for what may be sent again; INVALID_ARGUMENT for what may not.
"""

from typing import Any, Protocol, cast

import grpc
import grpc.aio

from boxscore.errors import BoxscoreError
from boxscore.server.access import DEFAULT_PROJECT
from boxscore.server.otlp_http import rpc_code, rpc_status
from boxscore.server.service import Service

__all__ = ["OtlpGrpc"]

SERVICE, METHOD = "opentelemetry.proto.collector.trace.v1.TraceService", "Export"
IN_FLIGHT = 16
"""Calls at once; what is beyond is refused by gRPC itself as RESOURCE_EXHAUSTED."""
SHARE = 2
"""gRPC holds messages whole before we see them, so that one is at most this part of what a body over HTTP may be."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class _Context(Protocol):
    async def abort(self, code: object, details: str, trailing_metadata: object) -> None: ...


class OtlpGrpc:
    """A listener beside the HTTP server, in the same event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: Any = None

    async def start(self, host: str, port: int) -> int | None:
        """The port that it listens on, None when that port is taken."""
        most = self._service.limits.body_bytes // SHARE
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=IN_FLIGHT,
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_metadata_size", self._service.limits.header_bytes),
                ("grpc.so_reuseport", 0),
                ("grpc.max_connection_idle_ms", int(self._service.limits.idle_s * 1000)),
                ("grpc.keepalive_time_ms", 60_000),
            ],
        )
        handler = cast(Any, grpc).unary_unary_rpc_method_handler(self._export)  # no serialisers: bytes stay bytes
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

    async def _export(self, body: bytes, context: _Context) -> bytes:
        meters = self._service.meters
        meters.open += 1
        try:
            return await self._service.put(lambda: self._service.ingest.protobuf(DEFAULT_PROJECT, body))
        except BoxscoreError as error:
            meters.refused(error)
            trailing = (("grpc-status-details-bin", rpc_status(error)),)
            await context.abort(_CODES[rpc_code(error)], str(error), trailing)
            raise
        finally:
            meters.open -= 1
