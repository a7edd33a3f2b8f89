"""The way of a newcomer, from the first visit to a verdict that leaves the house; and what may happen on it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from browser.furnished import answer_tickets
from serving import Server

Tab = Callable[..., Page]
PROMPTS = {
    "baseline": ("tiny-1", "{{ input }}"),
    "candidate": ("tiny-2", "Answer with JSON only, with the keys intent, order and amount.\n\n{{ input }}"),
}


def test_from_the_first_visit_to_a_box_score_that_is_exported(server: Server, page: Page, tmp_path: Path) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("A trace takes three lines")
    lines = page.get_by_label("What sends a first trace").inner_text()

    run(tmp_path, server, f'{lines}\nanswer("Where is my order?")\n')
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 trace", timeout=20_000)

    page.get_by_role("link", name="Traces").first.click()
    page.get_by_role("option").first.click()
    beside = page.get_by_role("complementary", name="The open trace")
    expect(beside.get_by_role("treeitem")).to_have_count(1)
    expect(beside.get_by_role("treeitem")).to_contain_text("answer")

    answer_tickets(server, 60, project="default")
    page.goto("/traces?range=1h&filter=name%3Danswer_ticket")
    expect(page.get_by_role("heading", level=1)).to_contain_text("60")
    page.get_by_role("button", name="add all").click()
    dialog = page.get_by_role("dialog", name="Add to a dataset")
    dialog.get_by_label("Dataset").fill("tickets")
    expect(dialog).to_contain_text("60 rows")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("60 rows added to tickets, version 1.")).to_be_visible()

    page.goto("/experiments/new?dataset=tickets")
    for side, (model, prompt) in zip(page.get_by_role("group").all(), PROMPTS.values(), strict=False):
        side.get_by_label("Provider").select_option("tiny")
        side.get_by_label("Model").fill(model)
        side.get_by_label("Prompt or messages").fill(prompt)
    page.get_by_label("Scorers, the first decides").fill("json")
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile("/experiments/(?!new)"), timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("points")

    with page.expect_download() as downloaded:
        page.get_by_role("link", name="report", exact=True).click()
    assert "<title>" in Path(downloaded.value.path()).read_text(encoding="utf-8")


def run(folder: Path, server: Server, text: str) -> None:
    """A person's script, with nothing set but the folder it stands in."""
    script = folder / "first.py"
    script.write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE")}
    subprocess.run([sys.executable, str(script)], cwd=folder, env=env, check=True)
