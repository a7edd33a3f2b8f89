"""Traces of an invented support desk, sent as OTLP/JSON: what the commands over traces are tested and pictured with."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from boxscore.store.spans import SpanRow, SqliteSpans
from boxscore.tracing import Normaliser, read_json

MS = 1_000_000
SYSTEM = "You answer customers of a billing product. Use only the passages. If they do not say, say so."
TRACE = "8c1f0e77d2a94b6a9f3e5b1d7c604a21"
FAILED = "5d20b7c94e1f4f0cbb61a2d38e9f7710"
ODD = "0b7e93aa64d54d1f8a2c9e1f5b3d7c66"
QUESTIONS = (
    ("The export button does nothing on my phone", 5310, "u_12", "s-2209"),
    ("Can I have two owners for one workspace?", 4100, "u_77", "s-2207"),
    ("Ihre Rechnung zeigt den falschen Betrag", 6770, "u_31", "s-2205"),
    ("My card was charged twice and nobody answers", 7900, "u_83", "s-2210"),
    ("Invoice PDF is blank when I print it", 6020, "u_09", "s-2201"),
    ("Where are the logs kept, and for how long?", 4440, "u_12", "s-2209"),
    ("Où puis-je changer l’adresse de facturation ?", 3980, "u_58", "s-2198"),
)


@cache
def _normaliser() -> Normaliser:
    return Normaliser()


def rows(now_ns: int) -> list[SpanRow]:
    """All the spans, the latest trace a few seconds before `now_ns`."""
    groups = [
        {
            "resource": {"attributes": _pairs({"service.name": application, "deployment.environment.name": "demo"})},
            "scopeSpans": [{"scope": {"name": "desk", "version": "1.4"}, "spans": [span]}],
        }
        for application, span in _spans(now_ns)
    ]
    batch = read_json(json.dumps({"resourceSpans": groups}).encode())
    assert batch.rejected == {}
    return [_normaliser()(span) for span in batch.spans]


def fill(home: Path, now_ns: int) -> Path:
    """A folder with all of it, rolled up and found."""
    with SqliteSpans(home, clock_ns=lambda: now_ns) as store:
        store.put("default", rows(now_ns)).result()
        store.catch_up()
    return home


def _spans(now_ns: int) -> Iterator[tuple[str, dict[str, Any]]]:
    desk = "support-desk"
    yield from ((desk, span) for span in _answered(TRACE, now_ns - 8_000 * MS))
    yield from ((desk, span) for span in _failed(FAILED, now_ns - 95_000 * MS))
    yield from _odd(ODD, now_ns - 400_000 * MS)
    for number, (asked, took, user, session) in enumerate(QUESTIONS):
        trace = f"{number + 17:02x}" * 16
        start = now_ns - (600_000 + number * 1_300_000) * MS
        told = {"boxscore.input": asked, "session.id": session, "user.id": user}
        yield desk, _span(trace, 1, None, "answer_ticket", start, 0, took, told)
        model, (came, answered) = ("claude-sonnet-4-20250514", (3100 + number * 7, 380)) if number % 3 else (
            "gpt-4.1-mini-2025-04-14", (420, 30 + number))  # fmt: skip
        call = _chat(model, came, answered, asked, "Thank you for writing to us.")
        yield desk, _span(trace, 2, 1, "draft", start, took // 4, took * 2 // 3, call)


def _answered(trace: str, start: int) -> Iterator[dict[str, Any]]:
    asked = "Refund for the second invoice of May please, I was billed twice."
    answer = (
        "I see two invoices for May, 1041 and 1044, for the same seat [2]. I have asked for 1044 to be refunded; it "
        "goes back to the card you paid with within 5 to 10 days [1]."
    )
    whose = {"session.id": "s-2210", "user.id": "u_83", "boxscore.input": asked, "boxscore.output": answer}
    passages = "[1] Refunds return to the original method within 5 to 10 days.\n[2] A duplicate invoice is one seat."
    call = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "invoices", "arguments": {"month": "2025-05"}}],
    }
    found = {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "c1", "response": '[{"id": 1041}, {"id": 1044}]'}],
    }
    said = [_message("system", SYSTEM), _message("user", f"{passages}\n\n{asked}")]
    yield _span(trace, 1, None, "answer_ticket", start, 0, 4820, whose)
    yield _span(trace, 2, 1, "classify", start, 20, 590, _chat("gpt-4.1-mini-2025-04-14", 398, 3, asked, "refund"))
    yield _span(trace, 3, 1, "guard.injection", start, 612, 50, {"boxscore.operation": "guardrail"})
    yield _span(trace, 4, 1, "retrieve", start, 664, 250, {"boxscore.operation": "retrieval", "boxscore.input": asked})
    embedded = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "text-embedding-3-small",
                "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 18}  # fmt: skip
    yield _span(trace, 5, 4, "embed", start, 668, 110, embedded)
    yield _span(trace, 6, 4, "search", start, 780, 130, {"boxscore.output": passages})
    plan = _chat("claude-sonnet-4-20250514", 1_180, 41, asked, "") | {
        "gen_ai.input.messages": said,
        "gen_ai.output.messages": [call],
        "gen_ai.response.time_to_first_chunk": 0.61,
    }
    yield _span(trace, 7, 1, "draft", start, 920, 1140, plan)
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "invoices", "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": {"month": "2025-05"},
            "gen_ai.tool.call.result": '[{"id": 1041}, {"id": 1044}]'}  # fmt: skip
    yield _span(trace, 8, 1, "invoices", start, 2080, 85, tool)
    draft = _chat("claude-sonnet-4-20250514", 3_184, 412, asked, "") | {
        "gen_ai.input.messages": [*said, call, found],
        "gen_ai.output.messages": [_message("assistant", answer)],
        "gen_ai.usage.cache_read.input_tokens": 2_048,
        "gen_ai.response.time_to_first_chunk": 0.78,
        "boxscore.prompt.name": "reply",
        "boxscore.prompt.version": "12",
        "boxscore.metadata.tier": "gold",
    }
    yield _span(trace, 9, 1, "draft", start, 2180, 2560, draft)
    yield _span(trace, 10, 1, "guard.pii", start, 4750, 50, {"boxscore.operation": "guardrail"})


def _failed(trace: str, start: int) -> Iterator[dict[str, Any]]:
    asked = "Change the billing address for last year"
    call = _chat("claude-sonnet-4-20250514", 0, 0, asked, "")
    del call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"], call["gen_ai.output.messages"]
    why = {"code": 2, "message": "429: rate limit reached, \x1b[31mtry again\x1b[0m in 20 s"}
    said = {"exception.type": "RateLimitError", "exception.message": why["message"]}
    raised = [{"name": "exception", "timeUnixNano": str(start + 7_900 * MS), "attributes": _pairs(said)}]
    told = {"session.id": "s-2204", "user.id": "u_40", "boxscore.input": asked}
    yield _span(trace, 1, None, "answer_ticket", start, 0, 7980, told, status=why)
    yield _span(trace, 2, 1, "draft", start, 640, 7300, call, status=why, events=raised)


def _odd(trace: str, start: int) -> Iterator[tuple[str, dict[str, Any]]]:
    day = 26 * 3600 * 1000
    yield "support-desk", _span(trace, 1, None, "nightly_digest", start, 0, 9000, {"user.id": "u_83"})
    yield "digest-worker", _span(trace, 2, 1, "collect", start, day + 200, 4000, {})
    yield "digest-worker", _span(trace, 3, 2, "read", start, day + 900, 2500, {})
    yield "support-desk", _span(trace, 4, 99, "late.child", start, 5000, 1000, {})
    yield "support-desk", _span(trace, 5, 1, "still.running", start, 6000, None, {})


def _chat(model: str, came: int, answered: int, asked: str, answer: str) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic" if model.startswith("claude") else "openai",
        "gen_ai.request.model": model.rsplit("-", 1)[0] if model.startswith("claude") else model[:12],
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": came,
        "gen_ai.usage.output_tokens": answered,
        "gen_ai.input.messages": [_message("user", asked)],
        "gen_ai.output.messages": [_message("assistant", answer)],
    }


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(
    trace: str,
    number: int,
    parent: int | None,
    name: str,
    start: int,
    after_ms: int,
    took_ms: int | None,
    attributes: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    begun = start + after_ms * MS
    ids = [f"{(int(trace[:8], 16) * 31 + one * 0x9E3779B97F4A7C15) % 2**64:016x}" for one in (number, parent or 0)]
    return {
        "traceId": trace,
        "spanId": ids[0],
        "parentSpanId": "" if parent is None else ids[1],
        "name": name,
        "startTimeUnixNano": str(begun),
        "endTimeUnixNano": "0" if took_ms is None else str(begun + took_ms * MS),
        "attributes": _pairs(attributes),
        **more,
    }


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {int: "intValue", float: "doubleValue", str: "stringValue"}
    found: list[dict[str, Any]] = []
    for key, value in values.items():
        kind = next((name for of, name in kinds.items() if isinstance(value, of)), None)
        found.append({"key": key, "value": {kind: value} if kind else {"stringValue": json.dumps(value)}})
    return found
