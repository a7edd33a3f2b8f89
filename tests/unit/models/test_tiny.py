"""The embedded model: what it answers, and what it refuses."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from boxscore.datasets.tickets import DEMO_SEED, Ticket, tickets
from boxscore.errors import FileError, ProviderError, UnknownNameError
from boxscore.models.tiny import MODELS, PROMPTS, TinyProvider
from boxscore.models.tiny.checkpoint import WEIGHTS, checkpoint, manifest
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response
from boxscore.types import Json

FRESH = tickets(100, seed=DEMO_SEED + 1)


def request(model: str, prompt: str, ticket: Ticket, **params: Json) -> Request:
    told = PROMPTS[prompt]
    user = told.user.replace("{{ ticket }}", ticket.text)
    return Request(
        model=model,
        messages=(Message(role="system", content=told.system), Message(role="user", content=user)),
        params=params,
    )


def ask(requests: Sequence[Request], provider: TinyProvider | None = None) -> list[Response]:
    """All at once, as a runner would, so that they are answered in batches."""

    async def together() -> list[Response]:
        tiny = provider or TinyProvider()
        try:
            return await asyncio.gather(*(tiny.complete(one) for one in requests))
        finally:
            await tiny.close()

    return asyncio.run(together())


@cache
def share_right(model: str, prompt: str) -> float:
    answers = ask([request(model, prompt, ticket) for ticket in FRESH])
    return sum(fields(a.output) == t.reference() for a, t in zip(answers, FRESH, strict=True)) / len(FRESH)


def fields(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_the_better_checkpoint_extracts_nearly_every_fresh_ticket() -> None:
    assert share_right("tiny-2", "precise") >= 0.92


def test_the_weaker_checkpoint_extracts_most_fresh_tickets_but_clearly_fewer() -> None:
    assert 0.65 <= share_right("tiny-1", "precise") <= 0.93
    assert share_right("tiny-1", "precise") < share_right("tiny-2", "precise")


@pytest.mark.parametrize("model", MODELS)
def test_the_prompt_matters(model: str) -> None:
    assert share_right(model, "terse") <= share_right(model, "precise") - 0.1


def test_the_same_question_gets_the_same_answer_alone_and_in_a_batch() -> None:
    requests = [request("tiny-2", ("terse", "precise")[n % 2], ticket) for n, ticket in enumerate(FRESH[:24])]
    together = ask(requests)

    assert [ask([one])[0].output for one in requests[:6]] == [answer.output for answer in together[:6]]


def test_a_seed_fixes_a_sampled_answer_whatever_is_asked_beside_it() -> None:
    one = request("tiny-1", "precise", FRESH[0], temperature=1.5, seed=7)
    others = [request("tiny-1", "terse", ticket, temperature=1.5, seed=7) for ticket in FRESH[1:9]]
    (alone,) = ask([one])

    assert ask([*others, one])[-1].output == alone.output


def test_seeds_differ_in_their_samples() -> None:
    answers = ask([request("tiny-1", "precise", FRESH[0], temperature=3.0, seed=seed) for seed in range(8)])

    assert len({answer.output for answer in answers}) > 1


def test_a_response_carries_usage_fingerprint_latency_and_why_it_ended() -> None:
    (answer,) = ask([request("tiny-2", "precise", FRESH[0])])

    assert answer.usage is not None
    assert answer.usage.input_tokens is not None
    assert answer.usage.output_tokens is not None
    assert answer.usage.input_tokens > answer.usage.output_tokens > 10
    assert answer.usage_raw["total_tokens"] == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.fingerprint == manifest().checkpoints["tiny-2"]
    assert (answer.finish_reason, answer.model, answer.provider) == ("stop", "tiny-2", "tiny")
    assert answer.latency_s is not None
    assert answer.latency_s > 0


def test_max_tokens_cuts_the_answer() -> None:
    (whole,) = ask([request("tiny-2", "precise", FRESH[0])])
    (cut,) = ask([request("tiny-2", "precise", FRESH[0], max_tokens=3)])

    assert cut.finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.output_tokens == 3
    assert whole.output.startswith(cut.output)


def test_both_checkpoints_answer_through_one_provider_at_once() -> None:
    answers = ask([request(model, "precise", ticket) for ticket in FRESH[:5] for model in MODELS])

    assert [answer.model for answer in answers] == [*MODELS] * 5


def test_a_provider_serves_one_event_loop_after_another() -> None:
    tiny = TinyProvider()
    first, second = (ask([request("tiny-1", "terse", FRESH[0])], tiny)[0] for _ in range(2))

    assert first.output == second.output


def test_a_cancelled_request_does_not_hurt_its_neighbours() -> None:
    async def scene() -> str:
        tiny = TinyProvider()
        doomed = asyncio.ensure_future(tiny.complete(request("tiny-1", "terse", FRESH[0])))
        kept = asyncio.ensure_future(tiny.complete(request("tiny-1", "terse", FRESH[1])))
        await asyncio.sleep(0)
        doomed.cancel()
        answer = await kept
        await tiny.close()
        return answer.output

    assert asyncio.run(scene()) == ask([request("tiny-1", "terse", FRESH[1])])[0].output


def test_an_unknown_model_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError) as caught:
        ask([request("tiny-3", "terse", FRESH[0])])

    assert caught.value.nearest in MODELS


def test_a_prompt_that_is_too_long_is_refused_with_the_limit() -> None:
    long = Request(model="tiny-2", messages=(Message(role="user", content="where is it? " * 500),))
    with pytest.raises(ProviderError, match="holds 512 in all") as caught:
        ask([long])

    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "params",
    [{"temperature": -1}, {"temperature": "hot"}, {"max_tokens": 0}, {"max_tokens": 2.5}, {"seed": True}, {"top_p": 1}],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(params: dict[str, Json]) -> None:
    with pytest.raises(ProviderError, match=next(iter(params))) as caught:
        ask([request("tiny-2", "terse", FRESH[0], **params)])

    assert caught.value.kind == "refused"


def test_parts_of_text_read_like_one_text() -> None:
    parts = [{"type": "text", "text": "extract\n\n"}, {"type": "text", "text": FRESH[0].text}]
    whole = Message(role="user", content=f"extract\n\n{FRESH[0].text}")
    split, joined = ask(
        [Request(model="tiny-2", messages=(m,)) for m in (Message(role="user", content=parts), whole)],
    )

    assert split.output == joined.output


def test_an_image_is_refused() -> None:
    picture = Message(role="user", content=[{"type": "image_url", "image_url": {"url": "x"}}])
    with pytest.raises(ProviderError, match="text only"):
        ask([Request(model="tiny-2", messages=(picture,))])


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damaged_weights_are_refused_before_anything_is_loaded(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    file = folder / "tiny-1.safetensors"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data if damage == "flip" else data[:1000])

    with pytest.raises(FileError, match="install boxscore again"):
        ask([request("tiny-1", "terse", FRESH[0])], TinyProvider(folder))


def test_the_weights_are_small_and_their_sizes_what_is_said() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 4_000_000
    assert checkpoint("tiny-1").parameters < checkpoint("tiny-2").parameters < 1_000_000


def test_naming_the_model_loads_neither_numpy_nor_torch_and_running_it_no_torch() -> None:
    script = """
import asyncio, sys
import boxscore.models
from boxscore.models.tiny import PROMPTS, TinyProvider
from boxscore.providers.request import Message, Request
assert "numpy" not in sys.modules, "numpy"
asyncio.run(TinyProvider().complete(Request(model="tiny-1", messages=(Message(role="user", content="hi"),))))
assert "numpy" in sys.modules
assert not {"torch", "transformers", "pickle5"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
