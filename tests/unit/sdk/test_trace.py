"""`boxscore.trace` on functions of every kind, and as a block."""

import asyncio
import gc
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

import boxscore
from boxscore.sdk import SpanRecorder


@pytest.fixture
def recorder() -> Iterator[SpanRecorder]:
    with SpanRecorder() as recorder:
        yield recorder


def said(span: ReadableSpan) -> dict[str, Any]:
    return {name.removeprefix("boxscore."): value for name, value in (span.attributes or {}).items()}


def only(recorder: SpanRecorder) -> ReadableSpan:
    (span,) = recorder.spans
    return span


def test_a_function_keeps_its_arguments_its_result_and_its_face(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def answer(question: str, *more: str, style: str = "short", **rest: int) -> str:
        """Says something."""
        return question.upper()

    assert answer("why?", "now", style="long", depth=3) == "WHY?"
    assert answer.__doc__ == "Says something."
    assert list(inspect.signature(answer).parameters) == ["question", "more", "style", "rest"]
    assert only(recorder).name == "answer"
    assert said(only(recorder)) == {
        "step": "answer",
        "input": '{"question":"why?","more":["now"],"style":"long","depth":3}',
        "output": "WHY?",
    }


def test_methods_leave_their_object_out(recorder: SpanRecorder) -> None:
    class Agent:
        @boxscore.trace
        def act(self, task: str) -> int:
            return len(task)

        @boxscore.trace
        @classmethod
        def make(cls, name: str) -> str:
            return name

        @boxscore.trace
        @staticmethod
        def double(number: int) -> int:
            return 2 * number

    assert (Agent().act("dig"), Agent.make("a"), Agent.double(2)) == (3, "a", 4)
    assert [span.name for span in recorder.spans] == ["Agent.act", "Agent.make", "Agent.double"]
    assert [said(span)["input"] for span in recorder.spans] == ['{"task":"dig"}', '{"name":"a"}', '{"number":2}']


def test_calls_inside_calls_are_children(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def inner() -> None: ...

    @boxscore.trace
    async def outer() -> None:
        inner()
        await asyncio.gather(asyncio.to_thread(inner), asyncio.create_task(asyncio.sleep(0, inner())))

    asyncio.run(outer())

    (root,) = recorder.named("outer")
    assert root.parent is None
    children = recorder.named("inner")
    assert len(children) == 3
    assert root.context is not None
    assert {child.parent.span_id for child in children if child.parent} == {root.context.span_id}


def test_an_error_is_recorded_and_raised_as_it_was(recorder: SpanRecorder) -> None:
    error = ValueError("no such order")

    @boxscore.trace
    def find() -> None:
        raise error

    with pytest.raises(ValueError) as raised:
        find()

    span = only(recorder)
    assert raised.value is error
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError: no such order"
    assert span.events[0].name == "exception"
    assert said(span)["error.type"] == "ValueError"
    assert "output" not in said(span)


def test_a_cancelled_call_is_an_error(recorder: SpanRecorder) -> None:
    @boxscore.trace
    async def wait() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())

    assert only(recorder).status.description == "CancelledError"


def test_a_generator_is_one_span_until_its_end(recorder: SpanRecorder) -> None:
    @boxscore.trace(operation="chat")
    def parts(count: int) -> Iterator[str]:
        for number in range(count):
            assert otel.get_current_span() is not outside
            yield f"{number} "

    outside = otel.get_current_span()
    assert inspect.isgeneratorfunction(parts)
    stream = parts(3)
    first = next(stream)
    assert otel.get_current_span() is outside, "between parts, the span is not current in the caller"
    assert recorder.spans == []

    assert first + "".join(stream) == "0 1 2 "
    assert said(only(recorder))["output"] == "0 1 2 "
    assert 0 <= said(only(recorder))["time_to_first_token"] < 60


def test_generators_are_sent_to_thrown_into_and_closed_as_without_tracing(recorder: SpanRecorder) -> None:
    heard: list[object] = []

    def talk() -> Iterator[object]:
        try:
            heard.append((yield 1))
            try:
                yield 2
            except KeyError as error:
                heard.append(error.args[0])
                yield 3
            yield 4
        finally:
            heard.append("closed")

    for function in (talk, boxscore.trace(talk)):
        heard.clear()
        stream = cast("Any", function())
        assert (next(stream), stream.send("x"), stream.throw(KeyError("k"))) == (1, 2, 3)
        stream.close()
        assert heard == ["x", "k", "closed"]

    span = only(recorder)
    assert said(span)["output"] == "[1,2,3]"
    assert span.status.status_code is StatusCode.UNSET


def test_an_async_generator_that_fails_is_one_span_with_what_came(recorder: SpanRecorder) -> None:
    @boxscore.trace
    async def parts() -> AsyncIterator[str]:
        yield "half an "
        raise ConnectionError("cut")

    taken: list[str] = []

    async def take() -> None:
        async for part in parts():
            taken.append(part)

    assert inspect.isasyncgenfunction(parts)
    with pytest.raises(ConnectionError):
        asyncio.run(take())

    assert taken == ["half an "]
    assert only(recorder).status.description == "ConnectionError: cut"
    assert said(only(recorder))["output"] == "half an "


class Stream:
    """As the streams of official clients: iterated, closed, used in a with block."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = iter(parts)
        self.closed = False
        self.response = "200 OK"

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self.parts)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


def test_a_stream_that_is_returned_ends_its_span_when_it_was_read(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def ask() -> Stream:
        return Stream(["a", "b"])

    with ask() as stream:
        assert isinstance(stream, Stream)
        assert stream.response == "200 OK"
        assert recorder.spans == []
        assert list(stream) == ["a", "b"]

    assert stream.closed
    assert said(only(recorder))["output"] == "ab"


@pytest.mark.parametrize(
    ("parts", "output"),
    [
        (
            [
                {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
                {"choices": [{"delta": {"content": "Hel"}}]},
                {"choices": [{"delta": {"content": "lo"}}]},
                {"choices": [], "usage": {"prompt_tokens": 3}},
            ],
            "Hello",
        ),
        (
            [
                {"type": "message_start"},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hel"}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "lo"}},
            ],
            "Hello",
        ),
        ([{"type": "response.output_text.delta", "delta": "Hello"}, {"type": "response.completed"}], "Hello"),
        ([{"row": 1}, {"row": 2}], '[{"row":1},{"row":2}]'),
        (["", ""], ""),
    ],
)
def test_of_a_clients_chunks_the_text_is_kept(recorder: SpanRecorder, parts: list[Any], output: str) -> None:
    @boxscore.trace
    def ask() -> Iterator[Any]:
        yield from parts

    assert list(ask()) == parts
    assert said(only(recorder))["output"] == output


def test_a_stream_that_nobody_reads_ends_its_span_too(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def ask() -> Stream:
        return Stream(["a", "b"])

    next(ask())
    gc.collect()

    assert said(only(recorder))["output"] == "a"


def test_a_lambda_that_gives_a_coroutine_is_awaited_inside_its_span(recorder: SpanRecorder) -> None:
    async def answer() -> str:
        await asyncio.sleep(0)
        return boxscore.current_span().trace_id

    call = cast("Callable[[], Any]", boxscore.trace("ask")(lambda: answer()))

    assert asyncio.run(call()) == f"{only(recorder).get_span_context().trace_id:032x}"  # pyright: ignore[reportOptionalMemberAccess]


def test_a_block_is_a_span_with_what_it_was_told(recorder: SpanRecorder) -> None:
    with boxscore.trace("ask", operation="chat", step="draft", metadata={"try": 2}) as span:
        span.input([{"role": "user", "content": "Hi"}]).output("Hello").metadata(cached=False)
        span.model("gpt-4o", provider="openai").usage(input=12, output=3, cached=8)

    assert said(only(recorder)) == {
        "operation": "chat",
        "step": "draft",
        "metadata.try": "2",
        "input": '[{"role":"user","content":"Hi"}]',
        "output": "Hello",
        "metadata.cached": "false",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 8,
    }


def test_what_a_function_says_itself_stays(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def ask(secret: str) -> str:
        boxscore.current_span().input("a question").output("an answer")
        return secret

    ask("s")

    assert (said(only(recorder))["input"], said(only(recorder))["output"]) == ("a question", "an answer")


def test_inputs_and_outputs_are_left_out_on_demand(recorder: SpanRecorder) -> None:
    @boxscore.trace(input=False)
    def ask(secret: str) -> str:
        return "out"

    @boxscore.trace(output=False)
    def answer(question: str) -> str:
        return "secret"

    ask("s")
    answer("q")

    assert [sorted(said(span)) for span in recorder.spans] == [["output", "step"], ["input", "step"]]


def test_context_goes_onto_every_span_inside_and_blocks_add_up(recorder: SpanRecorder) -> None:
    @boxscore.trace
    def ask() -> None: ...

    with boxscore.context(session="s-1", user="ada", metadata={"tier": "gold", "n": 1}, prompt="greet"):
        with boxscore.context(step="draft", metadata={"n": 2}, prompt_version="7", variant="b", tags=["x", "y"]):
            ask()
        asyncio.run(asyncio.wait_for(asyncio.to_thread(ask), 10))
    ask()

    inner, other, outside = map(said, recorder.spans)
    assert inner == {
        "session": "s-1",
        "user": "ada",
        "metadata.tier": "gold",
        "metadata.n": "2",
        "prompt.name": "greet",
        "prompt.version": "7",
        "variant": "b",
        "step": "draft",
        "tags": ("x", "y"),
    }
    assert other == {
        "step": "ask",
        "session": "s-1",
        "user": "ada",
        "metadata.tier": "gold",
        "metadata.n": "1",
        "prompt.name": "greet",
    }
    assert outside == {"step": "ask"}


def test_a_step_of_its_own_goes_before_that_of_the_context(recorder: SpanRecorder) -> None:
    with boxscore.context(step="all"), boxscore.trace("one", step="mine"):
        pass

    assert said(only(recorder))["step"] == "mine"


def test_scores_are_of_the_current_span_or_of_what_is_named(recorder: SpanRecorder) -> None:
    with boxscore.trace("ask") as span:
        boxscore.score("useful", True, comment="yes", metadata={"by": 7})
    boxscore.score("stars", 4, trace_id=span.trace_id, source="user")
    boxscore.score("mood", "good", session="s-1", id="mine")
    span.score("late", 0.5)

    first, second, third, fourth = recorder.scores
    assert (first["trace_id"], first["span_id"], first["value"]) == (span.trace_id, span.span_id, True)
    assert (first["comment"], first["metadata"], first["source"]) == ("yes", {"by": "7"}, "code")
    assert (second["trace_id"], "span_id" in second, second["source"]) == (span.trace_id, False, "user")
    assert (third["session"], "trace_id" in third, third["id"]) == ("s-1", False, "mine")
    assert fourth["span_id"] == span.span_id


@pytest.mark.parametrize(
    ("name", "value"), [("a b", 1.0), ("", 1.0), ("x", float("nan")), ("x", ""), ("x", "w" * 201), ("x", None)]
)
def test_a_score_that_the_server_would_refuse_is_not_sent(
    recorder: SpanRecorder, name: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    boxscore.score(name, value, session="s")

    assert recorder.scores == []


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 64},
                "completion_tokens_details": {"reasoning_tokens": 8},
            },
            (100, 20, 64, None, 8),
        ),
        (
            {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 7},
            (107, 5, 90, 7, None),
        ),
        (
            {"prompt_token_count": 9, "candidates_token_count": 4, "thoughts_token_count": 30},
            (9, 34, None, None, 30),
        ),
        ({"inputTokens": 3, "outputTokens": 2}, (3, 2, None, None, None)),
        ("nonsense", (None, None, None, None, None)),
    ],
)
def test_usage_is_read_as_providers_say_it(
    recorder: SpanRecorder, usage: object, expected: tuple[int | None, ...]
) -> None:
    with boxscore.trace("ask") as span:
        span.usage(usage)

    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_creation.input_tokens")
    told = said(only(recorder))
    found = [told.get(f"gen_ai.usage.{name}") for name in (*names, "reasoning.output_tokens")]
    assert tuple(found) == expected


def test_a_response_tells_its_model_its_tokens_and_its_answer(recorder: SpanRecorder) -> None:
    class Response:
        model = "gpt-4o-2024-08-06"
        system_fingerprint = "fp_1"
        choices = ({"message": {"role": "assistant", "content": "Hello"}},)
        usage = {"prompt_tokens": 5, "completion_tokens": 1}  # noqa: RUF012

    with boxscore.trace("ask") as span:
        span.response(Response())

    told = said(only(recorder))
    assert told["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert told["gen_ai.usage.input_tokens"] == 5
    assert json.loads(told["output"]) == [{"role": "assistant", "content": "Hello"}]


def test_without_init_code_runs_as_if_it_were_not_traced() -> None:
    @boxscore.trace
    def ask(question: str) -> str:
        boxscore.current_span().output("x").usage(input=1).score("useful", 1)
        return question

    with boxscore.trace("block") as span, boxscore.context(user="ada"):
        assert ask("q") == "q"
        span.error(ValueError("x")).first_token().response({})


def test_a_sampler_that_fails_costs_the_span_alone(recorder: SpanRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("sampler")

    monkeypatch.setattr(recorder.provider.sampler, "should_sample", fail)

    assert boxscore.trace(len)("four") == 4
    with boxscore.trace("block") as span:
        span.output("x")
    assert list(boxscore.trace(lambda: (yield 1))()) == [1]


def test_one_block_may_be_open_in_many_tasks(recorder: SpanRecorder) -> None:
    around, block = boxscore.context(user="ada"), boxscore.trace("block")

    async def work(waits: int) -> dict[str, Any]:
        with around, block as span:
            for _ in range(waits):
                await asyncio.sleep(0)
            assert boxscore.current_span().span_id == span.span_id
        with boxscore.trace("after") as span:
            pass
        return said(recorder.named("after")[-1])

    async def together() -> list[dict[str, Any]]:
        return await asyncio.gather(*(work(waits) for waits in (5, 1, 3)))

    assert asyncio.run(together()) == [{"step": "after"}] * 3
    assert len(recorder.named("block")) == 3
    assert all(span.parent is None for span in recorder.spans)


def test_a_class_stays_a_class(recorder: SpanRecorder, caplog: pytest.LogCaptureFixture) -> None:
    assert boxscore.trace(Stream) is Stream
    assert "trace its methods" in caplog.text
