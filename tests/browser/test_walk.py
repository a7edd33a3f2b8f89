"""The way of a newcomer, from the first visit to a verdict that leaves the house; and what may happen on it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from browser.conftest import Watch
from browser.furnished import answer_tickets
from serving import PROTOBUF, Server, printed, request, start

PASSWORD = "a long walk in the park"  # noqa: S105 - of a test
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


def test_a_team_signs_in_makes_a_key_and_revokes_it(server: Server, page: Page, watch: Watch) -> None:
    watch.allow("status of 401")
    become_owner(server, page)
    send(server, 401)

    page.goto("/settings/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("desk")
    page.get_by_role("dialog").get_by_role("button", name="Make").click()
    key = page.get_by_label("The key", exact=True).inner_text().strip()
    assert key.startswith("bxs_")
    send(server, 200, key)
    page.get_by_role("button", name="I have it").click()
    assert key not in page.content()

    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked desk")).to_be_visible()
    send(server, 401, key)


def test_a_session_that_ends_while_a_page_is_open_is_renewed_over_it(server: Server, page: Page, watch: Watch) -> None:
    watch.allow("status of 401")
    become_owner(server, page)
    page.goto("/datasets")
    page.get_by_role("button", name="New dataset").wait_for()

    page.context.clear_cookies()
    page.get_by_role("link", name="Experiments").first.click()
    ended = page.get_by_role("dialog", name="Your session has ended")
    ended.get_by_label("Name").fill("ada")
    ended.get_by_label("Password").fill(PASSWORD)
    ended.get_by_role("button", name="Sign in").click()

    expect(ended).not_to_be_visible()
    expect(page).to_have_url(re.compile("/experiments"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_page_outlives_a_server_that_is_started_again(server: Server, page: Page, watch: Watch) -> None:
    watch.allow("ERR_", "network", "Failed to fetch")
    page.goto("/traces?range=1h")
    page.get_by_role("heading", level=1).wait_for()

    server.stop()
    expect(page.get_by_text("The server does not answer")).to_be_visible(timeout=30_000)

    again = start(server.home, f"--port={server.ports['api']}")
    try:
        expect(page.get_by_text("The server does not answer")).not_to_be_visible(timeout=30_000)
        answer_tickets(again, 3, project="default")
        expect(page.get_by_role("option")).to_have_count(3, timeout=30_000)
    finally:
        again.stop()


def test_the_way_is_gone_with_the_keyboard_alone(server: Server, page: Page) -> None:
    answer_tickets(server, 8, project="default")
    page.goto("/")
    page.get_by_role("heading", level=1).wait_for()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("/traces"))
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    beside = page.get_by_role("complementary", name="The open trace")
    expect(beside.get_by_role("treeitem").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("answer_ticket")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"answer_ticket|/traces/|text="))
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/experiments"))


def become_owner(server: Server, page: Page) -> None:
    found = re.search(r"http\S+/login#owner=\S+", printed(server, "out"))
    assert found is not None
    page.goto(found[0])
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Become the owner").click()
    page.get_by_role("link", name="Traces").first.wait_for()


def send(server: Server, status: int, key: str | None = None) -> None:
    """A program's span, and how the server takes it; a key that was revoked may be good for some seconds."""
    body = request("job").SerializeToString()
    headers = PROTOBUF | ({"authorization": f"Bearer {key}"} if key else {})
    until = time.monotonic() + 5
    while (found := server.send(body, headers).status) != status and time.monotonic() < until:
        time.sleep(0.05)
    assert found == status


def run(folder: Path, server: Server, text: str) -> None:
    """A person's script, with nothing set but the folder it stands in."""
    script = folder / "first.py"
    script.write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE")}
    subprocess.run([sys.executable, str(script)], cwd=folder, env=env, check=True)
