"""An application of its own process: real clients under real instrumentation, their spans sent over OTLP.

    python application.py FAMILY OTLP_URL FILE…

Each exchange of the files is asked again of a provider that plays it. For each one line of JSON is printed: its `id`,
what the client raised (`error`), and `spans`, the request with its spans as the SDK encodes them, in base64.
"""

import base64
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

FAMILIES = {
    "openinference": ("anthropic", "bedrock", "google_genai", "groq", "mistralai", "openai"),
    "traceloop": ("anthropic", "bedrock", "cohere", "google_generativeai", "groq", "openai"),
}
HOMES = {"openinference": "openinference.instrumentation", "traceloop": "opentelemetry.instrumentation"}


def main(family: str, url: str, files: Sequence[str]) -> None:
    os.environ["TRACELOOP_TRACE_CONTENT"] = "true"
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": family}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    wanted = {f"{HOMES[family]}.{name}" for name in FAMILIES[family]}
    for found in entry_points(group="opentelemetry_instrumentor"):
        if found.value.partition(":")[0] in wanted:
            found.load()().instrument(tracer_provider=provider, skip_dep_check=True)

    from clients import Clients
    from player import Player

    player = Player()
    clients = Clients(player.url)
    for path in files:
        with open(path, encoding="utf-8") as lines:
            for player.exchange in map(json.loads, lines):
                error: str | None = None
                try:
                    clients.ask(player.exchange)
                except Exception as raised:  # noqa: BLE001 - whatever a client raises, the next exchange is asked
                    error = type(raised).__name__
                spans = encode_spans(kept.get_finished_spans()).SerializeToString()
                kept.clear()
                told: dict[str, Any] = {"id": player.exchange["id"], "error": error}
                sys.stdout.write(json.dumps({**told, "spans": base64.b64encode(spans).decode()}) + "\n")
    provider.shutdown()
    player.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
