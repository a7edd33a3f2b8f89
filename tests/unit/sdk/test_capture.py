"""What is kept of arguments and results: bounded JSON, whatever they are."""

import dataclasses
import enum
import json
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.sdk.capture import Capture


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Order:
    number: int
    items: list[str]


class Opaque:
    def __repr__(self) -> str:
        raise AssertionError("a text of its own might take long in the making")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (None, None),
        (3, "3"),
        ({"a": 1, "b": "x"}, '{"a":1,"b":"x"}'),
        ({"a": [1, (2, None)], 3: {"x"}}, '{"a":[1,[2,null]],"3":["x"]}'),
        (Order(1, ["pen"]), '{"number":1,"items":["pen"]}'),
        (OrderedDict(a=1), '{"a":1}'),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        ([Decimal("1.50"), Colour.RED], '["1.50","red"]'),
        (b"12345", "<5 bytes>"),
        (2**70, "<int>"),
        (float("nan"), "null"),
        (np.float64(0.5), "0.5"),
        (Opaque(), "<test_capture.Opaque>"),
        ("half \ud83d of it", "half ? of it"),
        ({"key": "\ud83d"}, '{"key":"?"}'),
        (Opaque, "test_capture.Opaque"),
    ],
)
def test_values_are_kept_as(value: object, text: str | None) -> None:
    assert Capture()(value) == text


def test_what_is_long_is_cut_and_says_so() -> None:
    assert Capture(10)("x" * 30) == "xxxxxxxxxx… (30 characters)"
    assert json.loads(Capture(100)(["x" * 60] * 1_000) or "")[-1] == "… (1,000 items)"


def test_what_is_deep_or_goes_in_circles_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)

    assert len(Capture()(circle) or "") < 200


def test_a_hook_sees_plain_json_and_what_it_gives_is_kept() -> None:
    def redact(value: Any) -> Any:
        return {key: "***" if key == "password" else inner for key, inner in value.items()}

    assert Capture(redact=redact)({"password": "x", "user": "ada"}) == '{"password":"***","user":"ada"}'


def test_when_the_hook_fails_nothing_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    def redact(value: Any) -> Any:
        raise KeyError("sesame")

    assert Capture(redact=redact)({"password": "sesame"}) is None
    assert "sesame" not in caplog.text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.sets(st.text()),
    ),
    st.integers(min_value=0, max_value=500),
)
def test_anything_is_kept_in_about_its_limit(value: Any, limit: int) -> None:
    text = Capture(limit)(value)

    assert len(text or "") <= 12 * limit + 200
    (text or "").encode()
