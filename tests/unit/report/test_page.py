"""The report in one HTML file: complete, self-contained, harmless whatever the answers hold, honest about gaps."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest
from samples import REJECT, SAMPLES, SHIP, UNDECIDED, Sample, pair, with_metrics, without_money

from boxscore.experiments.report import headline, html
from boxscore.experiments.verdict import Evidence, Verdict

VOID = {"meta", "input", "br", "circle", "path", "line", "rect"}


class Page(HTMLParser):
    """What a browser would find: elements with attributes, and the text outside style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.raw: dict[str, str] = {"style": "", "script": ""}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()
        if tag in {"p", "li", "td", "th", "dt", "dd", "h1", "h2", "small"}:
            self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "small":
            self.text += " "
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
        else:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def report(sample: Sample) -> str:
    return html(sample.verdict, sample.evidence)


def answers(*pairs: tuple[str, str]) -> Evidence:
    return Evidence(pairs=tuple(pair(str(at), before, after) for at, (before, after) in enumerate(pairs)))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_report_is_well_formed_and_says_the_headline(name: str):
    sample = SAMPLES[name]
    page = Page(report(sample))
    assert page.open == []
    assert headline(sample.verdict) in page.words
    assert sample.verdict.verdict.upper() in page.words


def test_sections_come_in_the_order_of_a_box_score():
    text = report(SHIP)
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "Line score",
        "Differences",
        "What other settings would decide",
        "gpt-3.5-turbo-0613 holds 77 % of the gain for a fraction of the cost",
        "gpt-4-0314 is slower at p50 and at p95",
        "Where it hurts",
        "Examples that got worse",
        "Fine print",
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_comes_from_outside(name: str):
    page = Page(report(SAMPLES[name]))
    loading = {"src", "href", "srcset", "data", "action", "poster", "xlink:href", "background"}
    for tag, attributes in page.elements:
        assert not loading & attributes.keys(), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
    assert {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]


def test_the_policy_allows_its_own_style_and_script_by_hash_and_nothing_else():
    page = Page(report(SHIP))
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert page.raw["script"].count("\n") < 20


HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) </style></details></body>"
    "\x1b[31m\u202egnp.exe\x00 \ud800 <a href=javascript:alert(1)>x</a> & \" '"
)


def test_hostile_text_stays_text_wherever_it_comes_from():
    evil = msgspec.structs.replace(
        SHIP.verdict.candidate, name=HOSTILE, model=HOSTILE, metrics=SHIP.verdict.candidate.metrics
    )
    verdict = msgspec.structs.replace(
        SHIP.verdict,
        candidate=evil,
        warnings=(HOSTILE,),
        notes=(HOSTILE,),
        reason=HOSTILE,
        dataset=msgspec.structs.replace(SHIP.verdict.dataset, name=HOSTILE),
        slices=tuple(msgspec.structs.replace(part, value=HOSTILE) for part in SHIP.verdict.slices),
    )
    side = msgspec.structs.replace(pair("1", HOSTILE, HOSTILE + " more").baseline, label=HOSTILE, note=HOSTILE)
    bad = msgspec.structs.replace(
        pair(HOSTILE, HOSTILE, HOSTILE, question=HOSTILE),
        baseline=side,
        reference={HOSTILE: HOSTILE},
        slices={"a": HOSTILE},
    )
    failed = msgspec.structs.replace(bad, candidate=msgspec.structs.replace(bad.candidate, error=HOSTILE))
    text = html(verdict, Evidence(pairs=(bad, failed)), title=HOSTILE)
    text.encode()
    clean, page = Page(report(SHIP)), Page(text)
    assert page.open == []
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in clean.elements} | {"p", "mark", "ins"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "javascript:alert(1)" in page.text


def test_what_hides_in_an_answer_is_shown():
    page = Page(html(SHIP.verdict, answers(("safe\u202egnp.exe \x1b[2J", "tag\U000e0041"))))
    assert "safe⟨RLO⟩gnp.exe ␛[2J" in page.text
    assert "tag⟨U+E0041⟩" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\U000e0000-\U000e007f]", page.text)


def test_a_huge_answer_is_cut_with_its_count():
    page = Page(html(SHIP.verdict, answers(("short", "word " * 200_000))))
    assert "996,000 more characters are cut." in page.words


def test_a_report_of_a_thousand_long_answers_stays_below_two_megabytes_and_says_what_is_left_out():
    long = [(f"{'alpha beta <&> ' * 400}{at}", f"{'alpha gamma <&> ' * 400}{at}") for at in range(200)]
    text = html(SHIP.verdict, answers(*long))
    assert len(text.encode()) < 2_000_000
    assert re.search(r"\d+ of 200 are here, worst first; the JSON has all ids\.", text)


def test_words_that_part_are_marked_in_both_answers():
    text = html(SHIP.verdict, answers(("It is a prime number after all.", "It is not a prime number after all.")))
    assert "<ins class=w>not</ins>" in text


def test_what_the_scorer_read_is_boxed_at_its_last_mention():
    text = html(SHIP.verdict, answers(("no wait, the answer is [No]", "yes or no? [Yes]")))
    assert "<mark>[No]</mark>" in text
    assert "<mark>[Yes]</mark>" in text
    assert text.count("<mark>") == 2


def test_missing_parts_are_said_and_not_drawn():
    page = Page(html(without_money(SHIP.verdict), Evidence()))
    assert "Cost was not recorded for both variants, so there is nothing to draw." in page.words
    assert "Latency was not recorded for both variants, so there is nothing to draw." in page.words
    assert "The answers were not kept." in page.words
    assert "not recorded cost, latency, tokens" in page.words
    assert "$ per 1,000" not in page.words
    assert "No slices were compared" in Page(report(UNDECIDED)).words


def test_what_one_variant_lacks_is_not_recorded_and_not_zero():
    lacking = msgspec.structs.replace(SHIP.verdict.candidate, cost_per_1k_usd=None)
    page = Page(html(msgspec.structs.replace(SHIP.verdict, candidate=lacking, cost=None), Evidence()))
    assert "candidate 84.0 81.6 – 86.1 99.6 99.0 – 99.8 not recorded 6.70" in page.words
    assert "0.00" not in page.words


def test_one_example_and_one_call_make_a_report():
    one = msgspec.structs.replace(
        UNDECIDED.verdict, dataset=msgspec.structs.replace(UNDECIDED.verdict.dataset, examples=1, clusters=1, total=1)
    )
    page = Page(html(one, Evidence(latencies={"reply@v12": (1.0,), "reply@v13": (2.0,)})))
    assert "1 example cannot decide" in page.words
    assert "With 1 and 1 calls there is no distribution to draw" in page.words


def drawn(verdict: Verdict, label: str) -> tuple[float, float]:
    """Middle of the interval's whisker and place of zero, in percent of the row's width."""
    text = html(verdict, Evidence())
    picture = next(part for part in re.findall(r'<svg class="iv".*?</svg></?(?:span|div)', text) if f'"{label}' in part)
    start, end = re.findall(r'<line x1="([\d.]+)%" x2="([\d.]+)%" y1="14"', picture)[0]
    return (float(start) + float(end)) / 2, 50.0


def test_right_is_better_in_every_row_and_the_flipped_ones_are_named():
    assert drawn(REJECT.verdict, "accuracy")[0] < 50
    assert drawn(REJECT.verdict, "cost")[0] > 50
    assert drawn(REJECT.verdict, "p50 latency")[0] > 50
    assert "cost, p50 latency and p95 latency are flipped" in Page(report(REJECT)).words


def test_slices_stand_worst_first():
    words = Page(report(SHIP)).words
    places = [
        words.index(name) for name in ("smallest factor 17", "smallest factor 5", "divisible by 3 100", "kind: prime")
    ]
    assert places == sorted(places)


def test_other_settings_say_where_the_verdict_would_change():
    words = Page(report(SHIP)).words
    assert "ships where up to 30.1 points are asked for" in words
    assert "rejected where more than 38.7 points are asked for" in words
    assert "ships where one is worth more than 4.5 cents" in words
    words = Page(report(REJECT)).words
    assert "ships where a loss of 37.3 points is tolerated" in words
    assert "rejected above 4.5 cents" in words


def test_every_variant_that_was_run_is_on_the_chart_of_cost_and_quality():
    text = report(SHIP)
    chart = re.search(r'<figure role="img" aria-label="([^"]*per 1,000[^"]*)"', text)
    assert chart is not None
    assert "gpt-3.5-turbo-0613 76.1 % at $0.66 per 1,000" in chart[1]
    assert "gpt-4-0613 51.1 % at $1.07 per 1,000, dominated" in chart[1]


def test_tables_have_headers_and_pictures_have_words():
    page = Page(html(with_metrics(SHIP.verdict, ["another"]), SHIP.evidence))
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")
    for tag, attributes in page.elements:
        if tag == "svg" and "x" not in attributes:
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label"), attributes


def test_the_line_score_turns_by_its_own_number_of_rows():
    few, many = (Page(html(v, Evidence())).raw["style"] for v in (without_money(SHIP.verdict), SHIP.verdict))
    assert "grid-template-rows:repeat(4,auto)" in few
    assert "grid-template-rows:repeat(9,auto)" in many


def relative_luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_on_every_ground_in_both_themes(theme: str):
    """WCAG 2.1 contrast of at least 4.5 for each text colour on paper, on a hovered row and on its own wash."""
    style = Page(report(SHIP)).raw["style"]
    block = re.findall(rf"color-scheme:{theme};(.*?)}}", style, re.DOTALL)[0]
    tokens = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", block))
    grounds = {name: ["paper", "sunk"] for name in ("ink", "ink-2", "ink-3", "good", "bad", "open")}
    grounds["good"].append("good-wash")
    grounds["bad"].append("bad-wash")
    grounds["ink"] += ["good-wash", "bad-wash"]
    for text, backs in grounds.items():
        for back in backs:
            light, dark = sorted((relative_luminance(tokens[text]), relative_luminance(tokens[back])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, back)


def test_a_line_score_with_too_many_columns_for_a_page_stands_turned():
    tables = [
        next(a["class"] for tag, a in Page(html(v, Evidence())).elements if tag == "table")
        for v in (SHIP.verdict, with_metrics(SHIP.verdict, [f"rule {i}" for i in range(9)]))
    ]
    assert tables == ["big", "big turned"]
