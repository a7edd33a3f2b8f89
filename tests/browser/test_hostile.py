"""Other people's text on the screens of experiments, datasets, costs and settings: shown as text, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from browser.test_axe import settle
from browser.test_traces import HOSTILE, assert_harmless, hostile  # noqa: F401 - a fixture
from serving import Server

JSON = {"content-type": "application/json"}
COMPARED = """
import json, sys
import boxscore
texts = json.loads(sys.argv[1])
rows = [{"id": f"{number}-{text}", "inputs": {text: text}, "reference": text, "metadata": {text: text},
         "slices": {"kind": text}, "cluster": text} for number, text in enumerate(texts * 30)]
found = boxscore.compare(
    dataset=boxscore.from_rows(rows, name=texts[0]),
    baseline=lambda inputs: texts[1] + next(iter(inputs)),
    candidate=lambda inputs: next(iter(inputs)) if len(next(iter(inputs))) % 2 else texts[3],
    scorers=["exact", "contains"], slices=["kind"], home=sys.argv[2])
"""


@pytest.fixture
def server(browser: object, tmp_path: Path, serve: Callable[..., Server]) -> Server:
    """One whose home has a comparison of hostile answers on a hostile dataset."""
    home = tmp_path / "home"
    command = [sys.executable, "-c", COMPARED, json.dumps(HOSTILE), str(home)]
    subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | {"BOXSCORE_HOME": str(home)})
    server = serve("home")
    rows = "\n".join(
        json.dumps({"id": text, "inputs": {text: text}, "reference": text, "metadata": {text: text}})
        for text in HOSTILE
    )
    assert server.ask("/api/v1/datasets", json.dumps({"name": "rows", "description": HOSTILE[0]}).encode(), JSON)
    name = "<img src=x onerror='window.hurt=1'>.jsonl"
    path = f"/api/v1/datasets/rows/import?filename={quote(name)}"
    found = server.ask(path, rows.encode(), {"content-type": "application/octet-stream"})
    assert found.status in (200, 201), found.body
    return server


@pytest.mark.parametrize(
    "address",
    ["/", "/experiments", "/experiments?tab=runs", "/experiments?tab=matrix", "/experiments/new", "/datasets",
     "/datasets/rows", "/datasets/rows?tab=versions", "/costs?range=1h", "/settings/audit", "/settings/projects"],
)  # fmt: skip
def test_hostile_texts_are_shown_as_text(page: Page, hostile: str, address: str) -> None:  # noqa: F811
    settle(page, address)

    assert_harmless(page)


def test_hostile_answers_are_shown_as_text_in_a_box_score_and_in_a_run(server: Server, page: Page) -> None:
    verdict = json.loads(server.ask("/api/v1/comparisons").body)["items"][0]["id"]
    settle(page, f"/experiments/{verdict}")
    page.get_by_text("Fine print").wait_for()
    assert_harmless(page)
    assert "<script>" in page.locator("main").inner_text()

    run = json.loads(server.ask("/api/v1/runs").body)["items"][0]["id"]
    settle(page, f"/runs/{run}")
    page.get_by_text("evil.example").first.wait_for()
    assert_harmless(page)


def test_a_hostile_row_is_shown_as_text_where_it_is_read(page: Page) -> None:
    settle(page, "/datasets/rows")
    page.get_by_text("evil.example").first.click()
    page.wait_for_load_state("networkidle")

    assert_harmless(page)
