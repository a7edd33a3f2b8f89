"""A span as the store takes it: typed fields that can be asked for, and the span itself as it came."""

from decimal import Decimal

import msgspec


class SpanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One span in normal form. Times are nanoseconds since 1970 by the sender's clock, durations nanoseconds; None is
    what nobody told. `raw` is the span as it came, in OTLP protobuf (`opentelemetry.proto.trace.v1.Span`), `resource`
    and `scope` what it came with: nothing of the original is lost, whatever the typed fields make of it.

    `entry`: nothing above it in its trace is known to this store, or the sender marked it as where a trace begins:
    lists of traces show entries. `operation` is GenAI's (chat, embeddings, execute_tool, invoke_agent, …), `step` the
    place in a chain. `input_text` and `output_text` are what is new in it, for search: the last message in, the answer
    out. `metadata` are the application's own attributes, as text. `price` names the row that `cost_usd` was computed
    from.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None = None
    name: str
    start_ns: int
    duration_ns: int | None = None
    entry: bool = False
    error: bool = False
    status_message: str | None = None
    operation: str | None = None
    step: str | None = None
    application: str | None = None
    environment: str | None = None
    release: str | None = None
    session: str | None = None
    user: str | None = None
    model_asked: str | None = None
    model: str | None = None
    provider: str | None = None
    fingerprint: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    variant: str | None = None
    graph: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: Decimal | None = None
    price: str | None = None
    first_token_ns: int | None = None
    input_text: str = ""
    output_text: str = ""
    metadata: dict[str, str] = {}
    raw: bytes = b""
    resource: bytes = b""
    scope: bytes = b""
