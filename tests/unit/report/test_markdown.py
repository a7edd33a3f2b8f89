"""The comment in Markdown: the verdict first, and whatever names and answers hold, nothing of them becomes markup.

Two second opinions: cmark-gfm, which GitHub uses, and markdown-it-py, whose tokens tell text from what is none.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import msgspec
import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from samples import REJECT, SAMPLES, SHIP, Sample, pair
from syrupy.assertion import SnapshotAssertion

from boxscore.experiments.report import headline, markdown
from boxscore.experiments.report.markdown import LONGEST, MARKER, fenced, plain
from boxscore.experiments.verdict import Evidence, Pair, Side, Verdict
from boxscore.text import revealed, stripped

PEER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
JOINER = "\u2060"

# What GitHub and GitLab make of plain text once Markdown is read, as they document it.
PINGS = re.compile(r"@[\w\"]|(?<![\w&])#\d|gh-\d|https?:/|www\.|[!~%&^][\w\"']|[\w.+-]+@[\w-]+\.\w", re.IGNORECASE)

NASTY = (
    "@team", "a@b.c", "#12", "GH-7", "x/y#1", "!5", "~bug", "%3", "&9", "https://e.vil/x.png", "www.e.vil",
    "<!--", "-->", "<img src=x>", "</details>", "<script>", "<b>", "![x](http://e.vil)", "[x](y)", "[x]: y",
    "[^1]", "`", "```", "````", "~~~", "`" * 300, "\n" + "`" * 300 + "\n", "|", "\n", "\r\n", "\n\n", "# h", "- [ ] x",
    "1. x", "+1", "> q", "***", "---", "===", "**b**", "_e_", "~~s~~", "$x$", "$$", "&lt;", "&#64;team", "\\", "\\|",
    "\t", "    ", "/close", "\n/close\n", "\x00", "\x1b[31m", "\u202e", "\u2060", "\ud800", "🙂", "是", "{{x}}",
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Never blank: an empty answer is said in words."""
    parts = draw(st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=8))
    text = "".join(parts) + "z"
    assume(stripped(text))
    return text


def written(text: str) -> tuple[Verdict, Evidence]:
    """A verdict whose every name, sentence and answer is `text`."""
    verdict = SHIP.verdict
    side = Side(output=text, value=0.0, label=text, note=text)
    failed = Side(output="", error=text)
    swap = {"accuracy": text, "format": text + "2", "tokens_out": "tokens_out"}
    assert verdict.provenance is not None
    summaries = {
        name: msgspec.structs.replace(
            getattr(verdict, name),
            name=text,
            hash=text,
            metrics={swap[key]: value for key, value in getattr(verdict, name).metrics.items()},
        )
        for name in ("baseline", "candidate")
    }
    guards = tuple(
        msgspec.structs.replace(g, metric=swap.get(g.metric, g.metric), note=text) for g in verdict.rule.guards
    )
    return (
        msgspec.structs.replace(
            verdict,
            **summaries,
            reason=text,
            rule=msgspec.structs.replace(verdict.rule, metric=text, guards=guards),
            dataset=msgspec.structs.replace(verdict.dataset, name=text, version=text),
            comparisons=tuple(msgspec.structs.replace(c, metric=swap[c.metric]) for c in verdict.comparisons),
            slices=tuple(msgspec.structs.replace(part, slice=text, value=text) for part in verdict.slices),
            warnings=(text,),
            notes=(text,),
            sensitivity=text,
            id=text,
            also_run=(),
            regressions=(text,),
            provenance=msgspec.structs.replace(
                verdict.provenance, scorers=(text,), prices=(text,), corrections=(text,), command=text, created_at=text
            ),
        ),
        Evidence(
            pairs=(
                Pair(
                    example_id=text,
                    outcome="worse",
                    baseline=side,
                    candidate=failed,
                    inputs={text: text, "b": text},
                    reference=text,
                    slices={text: text},
                ),
            )
        ),
    )


def tokens(text: str) -> Iterator[Token]:
    for token in PEER.parse(text):
        yield token
        yield from token.children or ()


class Shown(HTMLParser):
    """The elements that GitHub's parser makes of a comment, and the plain text outside of code."""

    def __init__(self, comment: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, object]] = []
        self.text = ""
        self._code = 0
        options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
        self.feed(github_flavored_markdown_to_html(comment, options=options))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))
        self._code += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(("/", tag))
        self._code -= tag == "pre"

    def handle_comment(self, data: str) -> None:
        self.elements.append(("!", data))

    def handle_data(self, data: str) -> None:
        self.text += "" if self._code else data


@settings(deadline=None)
@given(texts())
def test_no_text_of_anybody_becomes_an_element(text: str) -> None:
    assert Shown(markdown([written(text)])).elements == Shown(markdown([written("z")])).elements


@settings(deadline=None)
@given(texts())
def test_no_text_of_anybody_pings_or_refers(text: str) -> None:
    comment = markdown([written(text)])

    assert PINGS.findall(Shown(comment).text) == []
    assert not re.search(r"^/", comment, re.MULTILINE), "a line that begins with a slash is a command to GitLab"


@given(texts())
def test_an_escaped_text_says_what_it_said(text: str) -> None:
    opening, inline, closing = PEER.parse(plain(text, most=10_000))

    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    assert {token.type for token in inline.children or ()} == {"text"}
    seen = "".join(token.content for token in inline.children or ())
    assert seen.replace(JOINER, "") == stripped(text)


@given(texts())
def test_a_fence_holds_all_of_its_text(text: str) -> None:
    (fence,) = PEER.parse(fenced(text, 10_000))

    assert fence.type == "fence"
    held = re.sub("^ /", "/", fence.content.replace(JOINER, ""), flags=re.MULTILINE)
    assert held == revealed(text).rstrip("\n") + "\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_line_that_is_seen_is_the_verdict_and_its_reason(name: str) -> None:
    sample = SAMPLES[name]
    marker, _, first, *_ = markdown([(sample.verdict, sample.evidence)]).split("\n")

    assert marker == MARKER
    assert first.startswith(f"<b>{sample.verdict.verdict.upper()}</b> ")
    bare = "".join(token.content for token in tokens(first) if token.type == "text").replace(JOINER, "")
    assert headline(sample.verdict) in bare


@pytest.mark.parametrize("name", SAMPLES)
def test_comments_look_as_they_did(name: str, snapshot: SnapshotAssertion) -> None:
    sample = SAMPLES[name]

    assert markdown([(sample.verdict, sample.evidence)]) == snapshot


def test_only_slices_in_which_something_is_shown_are_listed() -> None:
    first, *rest = SHIP.verdict.slices
    quiet = msgspec.structs.replace(first, value="quiet", shown="unclear")
    comment = markdown([(msgspec.structs.replace(SHIP.verdict, slices=(quiet, *rest)), SHIP.evidence)])

    assert "quiet" not in comment
    assert plain(rest[0].value) in comment


def test_answers_that_got_worse_are_folded_and_others_are_counted() -> None:
    comment = markdown([(SHIP.verdict, SHIP.evidence)])

    assert "<details><summary>125 examples got worse, 469 better, 406 as before</summary>" in comment
    assert comment.count("<details>") == comment.count("</details>") == 2


def test_what_was_not_recorded_leaves_no_empty_block() -> None:
    bare = msgspec.structs.replace(pair("1", "", "no"), inputs={})
    comment = markdown([(SHIP.verdict, Evidence(pairs=(bare,)))])

    assert "```text\n\n```" not in comment
    assert "Baseline gpt-3.5-turbo-0301: right (no)\n\nan empty answer" in comment


def test_a_verdict_without_a_loss_says_so() -> None:
    better = msgspec.structs.replace(SHIP.verdict, regressions=())

    assert "No example got worse, 469 better, 406 as before." in markdown([(better, Evidence())])


def long(sample: Sample) -> tuple[Verdict, Evidence]:
    answers = tuple(pair(f"{'w' * 500}{n}", "是" * 9_000, "`" * 9_000) for n in range(50))
    warnings = tuple("🙂&<" * 900 for _ in range(50))
    slices = tuple(msgspec.structs.replace(sample.verdict.slices[0], value="&" * 900) for _ in range(50))
    name = msgspec.structs.replace(sample.verdict.candidate, name="&" * 5_000)
    verdict = msgspec.structs.replace(sample.verdict, warnings=warnings, slices=slices, candidate=name)
    return verdict, Evidence(pairs=answers)


@pytest.mark.parametrize("candidates", [1, 2, 8])
def test_a_comment_is_never_longer_than_github_takes(candidates: int) -> None:
    comment = markdown([long(SHIP)] * candidates)

    assert len(comment) <= len(comment.encode()) <= LONGEST + 100 < 65_536
    assert comment.count("<b>SHIP</b>") == candidates
    assert Shown(comment).elements[-1] == ("/", "p"), "nothing is left open"


def test_where_room_is_short_the_box_score_stays_and_answers_go() -> None:
    comment = markdown([(REJECT.verdict, REJECT.evidence)], most=1_200)

    assert "| <b>accuracy</b> |" in comment
    assert "476 examples got worse, 147 better, 377 as before." in comment
    assert "```" not in comment
