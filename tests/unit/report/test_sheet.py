"""The sheet: the report as data, for a page that draws it itself."""

import msgspec
import samples

from boxscore.experiments.report.closing import closing
from boxscore.experiments.report.pair_lines import PairLine, pair_line
from boxscore.experiments.report.rows import rows
from boxscore.experiments.report.sheet import sheet
from boxscore.experiments.report.words import headline
from boxscore.experiments.verdict import Evidence, Pair, Side

BIDI = "\u202e"


def pair(before: str, after: str, label: str | None = None) -> PairLine:
    sides = [Side(output=text, value=value, label=label) for text, value in ((before, 1.0), (after, 0.0))]
    return pair_line(Pair(example_id="1", outcome="worse", baseline=sides[0], candidate=sides[1], inputs={"q": "?"}))


def test_its_headline_is_the_reports() -> None:
    for verdict in (samples.SHIP.verdict, samples.REJECT.verdict, samples.UNDECIDED.verdict):
        assert "".join(phrase.text for phrase in sheet(verdict, Evidence()).said) == headline(verdict)


def test_places_are_from_worse_at_the_left_to_better_at_the_right() -> None:
    verdict = samples.SHIP.verdict

    for line, row in zip(sheet(verdict, Evidence()).differences, rows(verdict), strict=True):
        better = row.difference < 0 if row.flip else row.difference > 0
        assert (line.spot.at > 0.5) == better
        assert line.spot.low is not None
        assert line.spot.high is not None
        assert 0 <= line.spot.low <= line.spot.at <= line.spot.high <= 1


def test_how_many_would_decide_is_drawn_where_more_would() -> None:
    assert closing(samples.UNDECIDED.verdict) is not None
    assert closing(samples.SHIP.verdict) is None
    assert sheet(samples.SHIP.verdict, Evidence()).closing is None


def test_a_setting_of_the_rule_that_was_set_stands_where_it_was_set() -> None:
    verdict = samples.SHIP.verdict
    settings = sheet(verdict, Evidence()).settings

    assert settings is not None
    tracks = {track.kind: track for track in settings.tracks}
    assert tracks[verdict.rule.kind].now == tracks[verdict.rule.kind].start
    assert [kind for kind, track in tracks.items() if track.now is not None] == [verdict.rule.kind]
    for track in tracks.values():
        assert 0 <= track.start <= track.end
        assert all(0 < place < track.end for place in track.breaks)


def test_pieces_join_to_the_answers_and_mark_the_label_once() -> None:
    line = pair("It is so. The answer is [No] of course", "It is so. The answer is [Yes], no doubt", "No")

    assert "".join(piece.text for piece in line.baseline.pieces) == "It is so. The answer is [No] of course"
    assert [piece.text for piece in line.baseline.pieces if piece.marked] == ["No]"]
    assert (line.baseline.state, line.candidate.state) == ("good", "bad")


def test_what_hides_in_texts_is_made_visible() -> None:
    line = pair(f"safe{BIDI}exe", "\x1b[31mred")

    told = msgspec.json.encode(line).decode()

    assert BIDI not in told
    assert "\\u001b" not in told
    assert "⟨RLO⟩" in told
    assert "␛[31m" in told
