"""The exporters that applications have send to a real server."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from serving import Server, request

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Kept(SpanExporter):
    """What an exporter was given, and how it went."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.results: list[SpanExportResult] = []

    def export(self, spans: "list[ReadableSpan]") -> SpanExportResult:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.results.append(self.exporter.export(spans))
        return self.results[-1]

    def shutdown(self) -> None:
        self.exporter.shutdown()


@pytest.mark.parametrize("way", ["http", "http, gzip", "http, standard port", "grpc", "grpc, gzip"])
def test_spans_of_the_official_exporters_arrive(server: Server, way: str) -> None:
    squeezed = "gzip" in way
    if way.startswith("http"):
        port = server.ports["otlp" if "standard" in way else "api"]
        compression = Compression.Gzip if squeezed else Compression.NoCompression
        exporter: SpanExporter = HttpExporter(f"http://127.0.0.1:{port}/v1/traces", compression=compression)
    else:
        pressed = grpc.Compression.Gzip if squeezed else grpc.Compression.NoCompression
        exporter = GrpcExporter(f"http://127.0.0.1:{server.ports['grpc']}", insecure=True, compression=pressed)
    kept = Kept(exporter)
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("test").start_as_current_span("ask") as span:
        trace = f"{span.get_span_context().trace_id:032x}"
        with provider.get_tracer("test").start_as_current_span("chat", attributes={"gen_ai.request.model": "gpt-5"}):
            pass
    provider.shutdown()

    found = server.ask(f"/api/v1/traces/{trace}").json["items"]
    assert kept.results == [SpanExportResult.SUCCESS] * 2
    assert [(span["name"], span["application"]) for span in found] == [("ask", "shop"), ("chat", "shop")]


def test_over_grpc_bad_spans_are_a_partial_success(server: Server) -> None:
    batch = request("good")
    batch.resource_spans[0].scope_spans[0].spans.add(name="without ids")

    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as channel:
        said = ExportTraceServiceResponse.FromString(channel.unary_unary(EXPORT)(batch.SerializeToString()))

    assert said.partial_success.rejected_spans == 1
    assert "trace id" in said.partial_success.error_message


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        (b"\xff\xff\xff", None, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\0" * 40_000_000, None, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\0" * 400_000_000, grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["no request", "large", "bomb"],
)
def test_over_grpc_what_cannot_be_taken_is_refused(
    server: Server, body: bytes, compression: grpc.Compression | None, code: grpc.StatusCode
) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(EXPORT)(body, compression=compression)
        channel.unary_unary(EXPORT)(request("still there").SerializeToString())

    assert refused.value.code() == code  # type: ignore[attr-defined]
    assert server.memory_mb("VmHWM") < 300


def test_busy_is_told_as_the_protocol_says(serve: Callable[..., Server]) -> None:
    server = serve(limits={"bodies_bytes": 1_000_000})
    with contextlib.closing(server.connect()) as other:
        other.putrequest("POST", "/v1/traces")
        other.putheader("content-type", "application/json")
        other.putheader("content-length", "1000000")
        other.endheaders(b" " * 999_000)  # holds all the room there is
        while b"boxscore_requests_open 2" not in server.ask("/metrics").body:
            time.sleep(0.02)
        refused = server.send(request("large", text="x" * 10_000).SerializeToString())
    while b"boxscore_requests_open 1" not in server.ask("/metrics").body:
        time.sleep(0.02)
    taken = server.send(request("large", text="x" * 10_000).SerializeToString())

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.body.startswith(b"\x08\x08\x12")  # google.rpc.Status, RESOURCE_EXHAUSTED
    assert b"RetryInfo" in refused.body
    assert taken.status == 200
    assert b'boxscore_requests_refused_total{reason="busy"} 1' in server.ask("/metrics").body


def test_calls_that_never_send_make_way(serve: Callable[..., Server]) -> None:
    server = serve(limits={"header_s": 1.0})
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait(60)
        yield from ()

    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}", own) for _ in range(30)]
    stuck = [channel.stream_unary(EXPORT).future(nothing()) for channel in channels]
    codes = {call.exception(30).code() for call in stuck}
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}", own) as channel:
        channel.unary_unary(EXPORT)(request("after").SerializeToString(), timeout=10)
    over.set()
    for channel in channels:
        channel.close()

    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
