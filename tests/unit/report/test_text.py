"""Text from models and files: nothing that controls a terminal or hides from a reader gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.text import cells, cut, left, middle_cut, revealed, right, stripped, wrapped


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x9b2Jb", "ab"),
        ("a\u202eb\u2066c\u200bd\ufeff", "abcd"),
        ("one\r\n two\u2028three", "one two three"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("hidden\U000e0041\U000e0042", "hidden"),
    ],
)
def test_a_terminal_gets_plain_text(hostile: str, safe: str):
    assert stripped(hostile) == safe


def test_a_page_shows_what_hides():
    assert revealed("\x1b[31m") == "␛[31m"
    assert revealed("a\u202eb\U000e0041") == "a⟨RLO⟩b⟨U+E0041⟩"
    assert revealed("two\nlines\tand a tab") == "two\nlines\tand a tab"
    assert revealed("\ud83d") == "\ufffd"


def test_joiners_that_languages_need_stay():
    assert stripped("می\u200cخواهم") == "می\u200cخواهم"
    assert revealed("👩\u200d💻") == "👩\u200d💻"


def test_wide_characters_take_two_columns_and_accents_none():
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert left("日本", 5) == "日本 "
    assert right("日本", 3) == " …" or cells(right("日本", 3)) == 3


def test_a_long_name_keeps_both_ends():
    assert middle_cut("mistralai__Mistral-7B-Instruct-v0.3", 20) == "mistralai_…ruct-v0.3"


@given(st.text(max_size=80), st.integers(1, 40))
def test_fitting_never_passes_the_width(text: str, width: int):
    assert cells(cut(text, width)) <= width
    assert cells(middle_cut(text, width)) <= width
    assert cells(left(text, width)) == width
    assert cells(right(text, width)) == width


@given(st.text(max_size=200), st.integers(2, 40))
def test_wrapping_loses_nothing_and_never_passes_the_width(text: str, width: int):
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
