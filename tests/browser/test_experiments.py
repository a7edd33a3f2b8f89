"""The box score in a browser: read, moved, walked through by keys, gone on with; other people's text stays text."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from boxscore.datasets import from_rows
from boxscore.datasets.tickets import tickets
from boxscore.experiments.live import Effort, compare_variants
from boxscore.experiments.verdict import Guard, Rule
from boxscore.providers.response import ErrorInfo, Response, Usage
from boxscore.scoring import make_scorers
from browser.test_traces import HOSTILE, assert_harmless
from played import Played
from serving import JSON, Server

WORLD = 200


def compared(home: Path, rule: Rule, texts: list[str] | None = None) -> str:
    """A verdict of two variants that were played: one is right on half, the other on eight of ten and dearer. With
    `texts` everything that somebody may choose is one of them."""
    words = texts or ["plain"]

    def word(n: int) -> str:
        return words[n % len(words)]

    rows = [
        {
            "id": f"{n}-{word(n)}",
            "inputs": {word(n + 1): f"question {n} {word(n + 2)}"},
            "reference": "yes",
            "slices": {word(n // 100): f"{'odd' if n % 2 else 'even'} {word(0)}"},
        }
        for n in range(WORLD)
    ]
    dataset = from_rows(rows, name=f"made {word(3)}" if texts else "made")
    said = {example.id: n for n, example in enumerate(dataset.examples)}

    def answers(right: Callable[[int], bool], cost: Decimal) -> dict[str, Response]:
        failed = Response(error=ErrorInfo(kind="bad_answer", message=word(0)))
        return {
            id: failed
            if n == 7
            else Response(
                output="yes" if right(n) else f"no, for {word(n)}",
                cost_usd=cost,
                price=word(4),
                latency_s=0.2 + (n % 10) / 50,
                usage=Usage(input_tokens=10, output_tokens=20),
            )
            for id, n in said.items()
        }

    cheap, dear = Decimal("0.001"), Decimal("0.004")
    variants = {
        "old": Played(f"old {word(5)}" if texts else "old", answers(lambda n: n % 2 == 0, cheap)),
        "new": Played(f"new {word(6)}" if texts else "new", answers(lambda n: n % 10 < 8, dear)),
    }
    with ThreadPoolExecutor(1) as aside:  # the browser's event loop has this thread
        [comparison] = aside.submit(
            compare_variants, variants, dataset, make_scorers(["exact"]), rule,
            baseline="old", candidates=["new"], home=home, effort=Effort(),
        ).result()  # fmt: skip
    return comparison.verdict.id


@pytest.fixture
def found(tmp_path: Path, browser: object) -> str:
    guards = (Guard(metric="cost_per_1k_usd", margin=5.0),)
    return compared(tmp_path / "home", Rule(metric="exact", margin=0.02, guards=guards))


@pytest.fixture
def server(found: str, serve: Callable[..., Server]) -> Server:
    return serve()


def test_the_box_score_says_its_answer_first_and_its_evidence_in_order(page: Page, found: str) -> None:
    page.goto(f"/experiments/{found}")

    expect(page.get_by_role("heading", level=1)).to_contain_text("new answers 29.5 points more right")
    headings = page.locator("main h2").all_inner_texts()
    assert headings[:3] == ["Line score", "Differences", "What other settings would decide"]
    assert [one for one in headings if one in ("Where it hurts", "Examples that got worse", "Fine print")] == [
        "Where it hurts", "Examples that got worse", "Fine print",
    ]  # fmt: skip


def test_a_moved_margin_tells_at_once_and_is_in_the_address(page: Page, found: str) -> None:
    page.goto(f"/experiments/{found}")
    slider = page.get_by_role("slider", name=re.compile("Superiority"))
    expect(slider).to_have_attribute("aria-valuetext", "2.0 points: ship")

    slider.fill("0.5")

    expect(slider).to_have_attribute("aria-valuetext", "50.0 points: reject")
    assert "superiority=0.5" in page.url
    expect(page.get_by_role("heading", level=1)).to_contain_text("29.5 points more right")
    page.reload()
    expect(slider).to_have_attribute("aria-valuetext", "50.0 points: reject")


def test_examples_are_walked_by_keys_and_a_slice_opens_its_own(page: Page, found: str) -> None:
    page.goto(f"/experiments/{found}")
    articles = page.get_by_role("article")
    expect(articles.first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(articles.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(articles.first).to_be_focused()

    page.get_by_role("button", name=re.compile("plain: odd")).click()

    expect(page.get_by_text("plain: odd").first).to_be_visible()
    assert "slice=plain" in page.url
    for text in articles.all_inner_texts():
        assert "odd" in text


def test_a_row_of_the_line_score_opens_its_run_and_its_trials(page: Page, found: str) -> None:
    page.goto(f"/experiments/{found}")
    page.get_by_role("rowheader", name=re.compile("new")).get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("199 questions, 1 call failed")
    page.get_by_role("button", name="errors 1").click()
    expect(page.get_by_role("cell", name=re.compile("bad_answer"))).to_be_visible()
    page.get_by_role("row", name=re.compile("7-plain")).click()
    expect(page.get_by_role("dialog")).to_contain_text("question 7")


def test_hostile_texts_are_shown_as_text(
    tmp_path: Path, browser: object, serve: Callable[..., Server], tab: Callable[..., Page]
) -> None:
    found = compared(tmp_path / "home", Rule(metric="exact"), HOSTILE)
    page = tab(serve())
    page.goto(f"/experiments/{found}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("points more right")
    for name in ("better", "tied", "worse"):
        page.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(page.get_by_role("article").first).to_be_visible()
        assert_harmless(page)
    page.get_by_role("button", name="whole").first.click()
    assert_harmless(page)
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("questions")
    assert_harmless(page)
    page.get_by_role("row").nth(12).click()
    assert_harmless(page)


def test_a_comparison_is_started_and_run_on_from_the_page(server: Server, page: Page) -> None:
    """By a form with its plan, to an undecided verdict, and on to twice as many examples."""
    rows = [
        {"id": f"t-{n}", "inputs": one.example("x").inputs, "reference": one.example("x").reference}
        for n, one in enumerate(tickets(60, split="demo"))
    ]
    assert server.ask("/api/v1/datasets", json.dumps({"name": "tickets"}).encode(), JSON).status < 300
    made = {"base": 0, "put": rows}
    assert server.ask("/api/v1/datasets/tickets/versions", json.dumps(made).encode(), JSON).status < 300
    page.goto("/experiments")
    page.get_by_role("link", name="Compare …").click()
    page.get_by_label("Dataset").select_option("tickets")
    page.get_by_label("First examples only").fill("30")
    messages = json.dumps([{"role": "system", "content": "extract"}, {"role": "user", "content": "{{ ticket }}"}])
    for place, model in enumerate(("tiny-1", "tiny-2")):
        page.get_by_label("Model").nth(place).fill(model)
        page.get_by_label("Prompt or messages").nth(place).fill(messages)
    page.get_by_label("Scorers, the first decides").fill("fields:mode=all")
    page.get_by_label("By more than, points").fill("5")
    expect(page.get_by_text("30 examples show a gain of")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Compare")).click()

    expect(page.get_by_text("The dataset holds 30 examples that were not run")).to_be_visible(timeout=30_000)
    page.get_by_label("Examples", exact=True).fill("30")
    page.get_by_role("button", name=re.compile("Run 30 more")).click()

    expect(page.get_by_text("60 examples", exact=False).first).to_be_visible(timeout=30_000)
