"""Messages told as JSON: the quick way finds what the thorough way finds, and nothing that is told is a fault."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.tracing.messages import read_messages, text_of_list

words = st.sampled_from(["", "a", "two words", '["x"]', '{"role": "user"}', "text"])
roles = st.sampled_from(["system", "user", "assistant", "choice"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
parts = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "content": words})
    | st.fixed_dictionaries({"type": words | json_values, "content": json_values}),
    max_size=3,
)
messages = st.fixed_dictionaries(
    {"role": roles},
    optional={"content": words | parts, "parts": parts, "finish_reason": words, "refusal": words, "name": words},
)


@given(st.lists(messages | json_values, max_size=4), st.booleans())
def test_the_quick_way_finds_what_the_thorough_way_finds(told: list[Any], last: bool) -> None:
    quick = text_of_list(json.dumps(told), last=last)
    found = read_messages(json.dumps(told), last=last)

    if quick is not None:
        thorough = found[-1].text if last else "\n".join(message.text for message in found if message.text)
        assert quick == thorough


@pytest.mark.parametrize("last", [True, False])
def test_messages_of_text_alone_are_read_the_quick_way(last: bool) -> None:
    told = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "parts": [{"type": "text", "content": "Why?"}, {"type": "text", "content": "And how?"}]},
    ]

    assert text_of_list(json.dumps(told), last=last) == ("Why?\nAnd how?" if last else "Be brief.\nWhy?\nAnd how?")


def test_a_part_whose_type_is_no_word_is_read_as_json() -> None:
    (message,) = read_messages([{"role": "user", "content": [{"type": ["image"], "n": 1}]}])

    assert message.text == '{"type":["image"],"n":1}'
