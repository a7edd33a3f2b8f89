"""Variants with the real thing behind them: a server on loopback, a shell, a thread."""

import asyncio
import functools
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from boxscore.datasets.example import Example
from boxscore.errors import FileError, ProviderError, SpecError, TemplateError, UnknownNameError
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.variant import Variant
from boxscore.experiments.variant_spec import variant_from_spec
from boxscore.experiments.variants import CommandVariant, HttpVariant, PromptVariant
from boxscore.providers import Response, ToolCall
from boxscore.providers.secrets import from_environment, mask
from boxscore.testing import FakeProvider, FakeServer

EXAMPLE = Example(id="e", inputs={"a": 2, "b": 3})


def answer(variant: Variant, example: Example = EXAMPLE) -> Response:
    async def run():
        try:
            return await variant.answer(example, repeat=0)
        finally:
            await variant.close()

    return asyncio.run(run())


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False


def failure(variant: Variant) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        answer(variant)
    return caught.value


# HTTP


def over_http(script, **options):
    async def run():
        async with FakeServer(script) as server:
            variant = HttpVariant(name="app", url=f"{server.url}/answer", **options)
            try:
                return await variant.answer(EXAMPLE, repeat=0), server
            finally:
                await variant.close()

    return asyncio.run(run())


def test_an_endpoint_gets_the_inputs_and_its_output_usage_and_cost_are_read():
    response, server = over_http({"output": "5", "usage": {"prompt_tokens": 4}, "cost_usd": 0.25, "model": "m"})

    assert server.bodies == [{"inputs": {"a": 2, "b": 3}}]
    assert (response.output, response.usage_raw, response.model) == ("5", {"prompt_tokens": 4}, "m")
    assert (response.cost_usd, response.price) == (Decimal("0.25"), "reported")
    assert response.latency_s > 0


def test_an_output_is_found_at_its_path_and_what_is_no_text_is_written_as_json():
    response, server = over_http({"data": [{"sum": {"value": 5}}]}, output_path="data.0.sum", inputs_key=None)

    assert response.output == '{"value": 5}'
    assert server.bodies == [{"a": 2, "b": 3}]


def test_an_answer_without_output_says_what_is_there():
    with pytest.raises(ProviderError) as caught:
        over_http({"result": "5"})

    assert (caught.value.kind, "result" in str(caught.value), "output_path" in str(caught.value)) == (
        "bad_answer",
        True,
        True,
    )


def test_a_header_from_the_environment_is_sent_and_never_described(monkeypatch, tmp_path):
    monkeypatch.setenv("APP_TOKEN", "hush-hush-0001")

    async def run():
        async with FakeServer({"output": "5"}) as server:
            variant = variant_from_spec(
                "app", {"url": f"{server.url}/x", "headers_env": {"X-Token": "APP_TOKEN"}}, tmp_path
            )
            await variant.answer(EXAMPLE, repeat=0)
            await variant.close()
            return server.headers[0]["x-token"], variant

    sent, variant = asyncio.run(run())

    assert sent == "hush-hush-0001"
    assert "hush" not in repr(variant.description)


# Commands


def test_a_command_reads_json_and_prints_the_answer(tmp_path):
    program = "import json, sys; inputs = json.load(sys.stdin); print(inputs['a'] + inputs['b'])"

    assert answer(CommandVariant(name="c", command=[sys.executable, "-c", program])).output == "5"


def test_a_shell_line_works_in_its_folder(tmp_path):
    (tmp_path / "answer.txt").write_text("from a file\n")

    assert answer(CommandVariant(name="c", command="cat answer.txt | tr a-z A-Z", folder=tmp_path)).output == (
        "FROM A FILE"
    )


def test_a_command_may_answer_in_json():
    line = """printf '{"output": "5", "cost_usd": "0.01", "tool_calls": [{"name": "add", "arguments": {"a": 2}}]}'"""
    response = answer(CommandVariant(name="c", command=line, reads="json"))

    assert (response.output, response.cost_usd) == ("5", Decimal("0.01"))
    assert response.tool_calls == (ToolCall(name="add", arguments={"a": 2}),)


def test_an_exit_status_is_an_error_with_the_end_of_what_was_said(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "hush-hush-0001")
    error = failure(CommandVariant(name="c", command='echo "no luck with $SOME_API_KEY" >&2; exit 3'))

    assert error.kind == "server"
    assert "exit status 3: no luck with [SOME_API_KEY]" in str(error)


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path):
    began = time.monotonic()
    error = failure(
        CommandVariant(name="c", command="sleep 60 & echo $! > child; sleep 60", folder=tmp_path, timeout_s=0.3)
    )

    assert error.kind == "timeout"
    assert time.monotonic() - began < 10
    child = int((tmp_path / "child").read_text())
    while alive(child):  # the kernel may take a moment to bury it
        assert time.monotonic() - began < 10


def test_a_command_that_never_reads_its_input_may_answer():
    big = Example(id="big", inputs={"text": "x" * 1_000_000})

    assert answer(CommandVariant(name="c", command="echo fine"), big).output == "fine"


def test_a_command_that_prints_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr("boxscore.experiments.variants._OUTPUT_BYTES", 10_000)

    assert failure(CommandVariant(name="c", command="yes")).kind == "bad_answer"


def test_a_command_that_does_not_exist_could_not_be_started():
    assert failure(CommandVariant(name="c", command=["/no/such/program"])).kind == "connect"


def test_editing_the_program_makes_another_variant(tmp_path):
    program = tmp_path / "app.py"
    program.write_text("print(1)")
    one = CommandVariant(name="c", command="python app.py", folder=tmp_path).info.hash
    program.write_text("print(2)")

    assert CommandVariant(name="c", command="python app.py", folder=tmp_path).info.hash != one


# Functions


def test_a_function_gets_its_inputs_by_name_in_a_thread():
    def add(a, b):
        return f"{a + b} in {threading.current_thread() is not threading.main_thread()}"

    assert answer(CallableVariant(add, name="f")).output == "5 in True"


def test_a_function_of_inputs_gets_them_all():
    assert answer(CallableVariant(lambda inputs: str(sorted(inputs)), name="f")).output == "['a', 'b']"


def test_an_async_function_may_give_usage_and_cost():
    async def add(a, **_rest):
        return {"output": str(a), "usage": {"input_tokens": 1}, "cost_usd": 0.5}

    response = answer(CallableVariant(add, name="f"))

    assert (response.output, response.cost_usd, response.usage_raw) == ("2", Decimal("0.5"), {"input_tokens": 1})


def test_a_function_that_hangs_is_a_timeout():
    gate = threading.Event()
    error = failure(CallableVariant(lambda inputs: gate.wait(5), name="f", timeout_s=0.05))
    gate.set()

    assert error.kind == "timeout"


@pytest.mark.parametrize("given", [None, 5, {"text": "5"}, {"output": "5", "cost_usd": "free"}])
def test_what_is_no_answer_is_called_a_bad_one(given):
    assert failure(CallableVariant(lambda inputs: given, name="f")).kind == "bad_answer"


def test_a_function_that_needs_what_the_example_lacks_is_refused_before_it_is_called():
    with pytest.raises(SpecError) as caught:
        CallableVariant(lambda question: "", name="f").check([EXAMPLE])

    assert "'question'" in str(caught.value)


def test_functions_that_differ_only_in_what_they_hold_are_different_variants():
    def make(model):
        return lambda inputs: model

    def base(model, inputs):
        return model

    def hashed(function):
        return CallableVariant(function, name="f").info.hash

    assert hashed(make("one")) != hashed(make("two"))
    assert hashed(make("one")) == hashed(make("one"))
    assert hashed(functools.partial(base, "one")) != hashed(functools.partial(base, "two"))
    assert len({hashed(f) for f in (lambda inputs: "1", lambda inputs: "2")}) == 2
    assert hashed(make(object())) != hashed(make(object()))


# Prompts


def test_a_prompt_is_rendered_and_sent_with_model_and_params():
    provider = FakeProvider("5")
    variant = PromptVariant(
        name="p", prompt="{{ a }} + {{ b }}?", provider=provider, model="m", params={"temperature": 0}
    )
    response = answer(variant)

    assert (response.output, response.provider) == ("5", "fake")
    assert provider.requests[0].messages[0].content == "2 + 3?"
    assert (provider.requests[0].model, provider.requests[0].params) == ("m", {"temperature": 0})


def test_what_an_api_cannot_say_is_refused_before_anything_is_asked():
    written = {"provider": "acme", "base_url": "http://127.0.0.1:1", "model": "m", "prompt": "x", "params": {"seed": 1}}

    variant_from_spec("v", written, None).check([EXAMPLE])
    with pytest.raises(SpecError, match="no seed") as caught:
        variant_from_spec("v", written | {"api": "messages"}, None).check([EXAMPLE])

    assert caught.value.key == "variants.v.params.seed"


def test_every_part_of_a_prompt_variant_is_part_of_its_identity_but_its_name():
    base = {"prompt": "x", "model": "m", "provider": "local", "base_url": "http://127.0.0.1:1/v1"}
    changes = [
        {},
        {"prompt": "y"},
        {"model": "n"},
        {"params": {"temperature": 1}},
        {"base_url": "http://127.0.0.1:2/v1"},
        {"api": "responses"},
        {"output_schema": {"type": "object"}},
        {"tools": [{"type": "function"}]},
    ]

    hashes = [variant_from_spec("p", base | change, None).info.hash for change in changes]

    assert len(set(hashes)) == len(changes)
    for same in ({"stream": True}, {"timeout_s": 5}, {"base_url": "http://127.0.0.1:1/v1/"}):
        assert variant_from_spec("other", base | same, None).info.hash == hashes[0]


# Specs


@pytest.mark.parametrize(
    ("mapping", "key", "words"),
    [
        ({"model": "m", "prompt": "x", "provder": "tiny"}, "provder", "did you mean 'provider'?"),
        ({"model": "m", "prompt": "x", "provider": "opnai"}, "provider", "did you mean 'openai'?"),
        ({"prompt": "x", "provider": "ollama"}, "model", "which model"),
        ({"model": "m", "provider": "ollama"}, "prompt", "no prompt"),
        ({"kind": "htp", "url": "http://a"}, "kind", "did you mean 'http'?"),
        ({"kind": "http"}, "url", "is missing"),
        ({"url": "a.b/c"}, "url", "no address"),
        ({"url": "http://u:p@a.b/c"}, "url", "password"),
        ({"url": "http://a", "command": "b"}, "kind", "command or http"),
        ({"command": []}, "command", "empty"),
        ({"command": "a", "reads": "xml"}, "reads", "text or json"),
        ({"command": "a", "timeout_s": 0}, "timeout_s", "above 0"),
        ({"command": "a", "timeout_s": float("nan")}, "timeout_s", "above 0"),
        ({"model": "m", "prompt": "x", "provider": "ollama", "first_token_s": -1}, "first_token_s", "above 0"),
        ({"command": "a", "timeout_s": "long"}, "timeout_s", "must be a number"),
        ({"command": "a", "usd_per_mtok": -1}, "usd_per_mtok", "no price"),
        ({"python": "nowhere"}, "python", "file.py:function"),
        ({"python": "json:loadz"}, "python", "did you mean 'load"),
        ({"python": "no_such_module:f"}, "python", "cannot be imported"),
    ],
)
def test_a_mistake_in_a_spec_is_one_sentence_with_its_key(tmp_path, mapping, key, words):
    with pytest.raises(SpecError) as caught:
        variant_from_spec("v", mapping, tmp_path)

    assert caught.value.key == f"variants.v.{key}"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "mapping",
    [
        {"api_key": "x"},
        {"api_key_env": "sk-live-0123456789abcdefghij"},
        {"params": {}, "model": "sk-live-0123456789abcdefghij"},
        {"params": {"extra_headers": {"X": "sk-live-0123456789abcdefghij"}}},
        {"url": "http://a", "headers": {"Authorization": "Bearer abc"}},
    ],
)
def test_a_secret_in_a_spec_is_refused_and_not_repeated(tmp_path, mapping):
    base = {} if "url" in mapping else {"model": "m", "prompt": "x", "base_url": "http://127.0.0.1/v1"}
    with pytest.raises(SpecError) as caught:
        variant_from_spec("v", base | mapping, tmp_path)

    assert "0123456789" not in str(caught.value)
    assert "Bearer" not in str(caught.value)


def test_a_key_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SpecError) as caught:
        variant_from_spec("v", {"model": "gpt-4o", "prompt": "x"}, tmp_path)

    assert "OPENAI_API_KEY" in str(caught.value)


def test_a_python_file_is_found_beside_the_spec_and_is_its_identity(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def answer(inputs):\n    return str(inputs['a'])\n")
    one = variant_from_spec("v", {"python": "app.py:answer"}, tmp_path)
    assert answer(one).output == "2"
    file.write_text("SUFFIX = '!'\ndef answer(inputs):\n    return str(inputs['a']) + SUFFIX\n")
    two = variant_from_spec("v", {"python": "app.py:answer"}, tmp_path)

    assert answer(two).output == "2!"
    assert one.info.hash != two.info.hash
    with pytest.raises(FileError):
        variant_from_spec("v", {"python": "gone.py:answer"}, tmp_path)


def test_a_prompt_file_is_read_beside_the_spec(tmp_path):
    (tmp_path / "p.txt").write_text("{{ a }}?")
    variant = variant_from_spec("v", {"provider": "ollama", "model": "m", "prompt_file": "p.txt"}, tmp_path)

    with pytest.raises(TemplateError):
        variant.check([Example(id="e", inputs={})])
    with pytest.raises(FileError):
        variant_from_spec("v", {"provider": "ollama", "model": "m", "prompt_file": "q.txt"}, tmp_path)


def test_the_embedded_model_needs_no_key_and_its_names_are_known(tmp_path):
    variant_from_spec("v", {"provider": "tiny", "model": "tiny-1", "prompt": "x"}, tmp_path)
    with pytest.raises(UnknownNameError) as caught:
        variant_from_spec("v", {"provider": "tiny", "model": "tiny-3", "prompt": "x"}, tmp_path)

    assert caught.value.nearest in ("tiny-1", "tiny-2")


def test_http_variants_with_other_headers_are_others_and_secret_ones_are_not_part_of_it():
    def one(**more):
        return HttpVariant(name="a", url="http://127.0.0.1:9/", **more).info.hash

    assert one(headers={"X-Prompt": "v1"}) != one(headers={"X-Prompt": "v2"})
    assert one(usage_path="a") != one(usage_path="b")
    assert one(secret_headers={"Authorization": "one"}) == one(secret_headers={"Authorization": "two"})


def test_a_header_that_holds_a_secret_is_refused_where_it_would_be_kept(tmp_path):
    headers = {"Authorization": "Basic bWU6aHVzaA=="}
    with pytest.raises(SpecError, match="headers_env") as caught:
        variant_from_spec("v", {"url": "http://127.0.0.1:9/", "headers": headers}, tmp_path)
    with pytest.raises(SpecError, match="secret_headers"):
        HttpVariant(name="v", url="http://127.0.0.1:9/", headers=headers)

    assert caught.value.key == "variants.v.headers.Authorization"
    assert "bWU6" not in str(caught.value)


def test_a_secret_header_is_masked_where_the_application_repeats_it():
    HttpVariant(name="v", url="http://127.0.0.1:9/", secret_headers={"X-Pass": "hush-hush-0002"})

    assert mask("who is hush-hush-0002?") == "who is [X-Pass]?"


def test_a_secret_is_masked_whatever_its_variable_is_called(monkeypatch):
    monkeypatch.setenv("ACME_AUTH", "abcdefsecretvalue1234")

    assert from_environment("ACME_AUTH", key="api_key_env") == "abcdefsecretvalue1234"
    assert mask("Incorrect key: abcdefsecretvalue1234") == "Incorrect key: [ACME_AUTH]"
