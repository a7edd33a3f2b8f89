"""The diff of two answers: pieces join to the answer again, and mark what parts."""

from hypothesis import given
from hypothesis import strategies as st

from boxscore.experiments.report.diff import MOST_CHARACTERS, compare

WORDS = st.lists(st.sampled_from(["the", "number", "is", "prime", "not", "7", "so", ",", "日本", "\n"]), max_size=300)


def test_the_words_that_part_are_marked_and_the_rest_agrees():
    parted = compare("So it is a prime number after all. Yes", "So it is not a prime number after all. No")
    assert [piece.text.strip() for piece in parted.after if piece.kind == "apart"] == ["not", "No"]
    assert [piece.text.strip() for piece in parted.before if piece.kind == "apart"] == ["Yes"]


def test_single_words_that_agree_by_chance_are_no_agreement():
    parted = compare("red the blue of green and", "one the two of three and four")
    assert {piece.kind for piece in parted.before + parted.after} == {"plain"}


def test_long_agreement_is_folded_and_keeps_its_ends():
    same = " ".join(f"word{i}" for i in range(200))
    parted = compare(f"{same} Yes", f"{same} No")
    folded = [piece for piece in parted.after if piece.folded]
    assert len(folded) == 1
    assert "word100" in folded[0].text
    assert "word199" not in folded[0].text


def test_unlike_answers_are_shown_as_they_are_with_their_middle_folded():
    parted = compare("No.", " ".join(f"step{i}" for i in range(400)))
    assert parted.agreement == 0
    assert [piece.folded for piece in parted.after] == [False, True, False]
    assert parted.after[-1].text.endswith("step399")


def test_a_huge_answer_is_cut_with_its_count():
    parted = compare("short", "x" * (MOST_CHARACTERS + 1234))
    assert parted.cut_after == 1234
    assert parted.cut_before == 0


def test_two_empty_answers_agree():
    assert compare("", "").agreement == 1


@given(WORDS, WORDS)
def test_pieces_join_to_the_text_again(before: list[str], after: list[str]):
    texts = " ".join(before), " ".join(after)
    parted = compare(*texts)
    for text, pieces in zip(texts, (parted.before, parted.after), strict=True):
        assert "".join(piece.text for piece in pieces) == text[:MOST_CHARACTERS].rstrip()
