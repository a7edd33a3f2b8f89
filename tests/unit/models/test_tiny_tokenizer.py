"""The tiny model's tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.models.tiny.checkpoint import WEIGHTS, manifest
from boxscore.models.tiny.tokenizer import SPECIALS, Tokenizer

SHIPPED = Tokenizer.from_json((WEIGHTS / manifest().tokenizer).read_text(encoding="utf-8"))


@given(st.text())
def test_any_text_comes_back_unchanged(text: str) -> None:
    assert SHIPPED.decode(SHIPPED.encode(text)) == text


@given(st.text(), st.sampled_from(SPECIALS))
def test_text_that_looks_like_a_mark_is_only_text(text: str, mark: str) -> None:
    ids = SHIPPED.encode(text + mark)

    assert min(ids) >= len(SPECIALS)
    assert SHIPPED.decode(ids) == text + mark


@given(st.lists(st.integers(0, 700), max_size=30))
def test_any_ids_decode_to_some_text(ids: list[int]) -> None:
    assert isinstance(SHIPPED.decode(ids), str)


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert SHIPPED.decode(SHIPPED.encode("a\ud800b")) == "a?b"


def test_every_digit_is_a_token_of_its_own() -> None:
    assert len(SHIPPED.encode("48213")) == 5


def test_training_merges_the_most_frequent_pair_first_and_survives_a_trip_through_json() -> None:
    learned = Tokenizer.train(["abab abab", "xy"], vocabulary=263)

    assert learned.decode([261]) == "ab"
    assert learned.decode([262]) == "abab"
    assert Tokenizer.from_json(learned.to_json()).encode("abab xy") == learned.encode("abab xy")


def test_the_words_of_the_task_are_short_in_tokens() -> None:
    assert len(SHIPPED.encode('{"intent":"refund","order":"B48213","amount":"49.90"}')) <= 24


def test_a_merge_of_an_id_not_yet_made_is_refused() -> None:
    with pytest.raises(ValueError, match="not made before"):
        Tokenizer([(300, 10)])
