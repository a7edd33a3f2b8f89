"""The Datasets place in a browser: a file comes in, rows are edited by keyboard, two edit at once, nothing is lost."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from browser.conftest import Watch
from serving import JSON, Server

HOSTILE = "<script>document.title='taken'</script><img src=https://example.org/x.png onerror=alert(1)>"


def lines(count: int) -> str:
    rows = (
        {"id": f"e{n}", "inputs": {"q": f"question {n}"}, "reference": str(n), "slices": {"part": str(n % 3)}}
        for n in range(count)
    )
    return "\n".join(map(json.dumps, rows))


def put(server: Server, name: str = "tickets", count: int = 40) -> None:
    answer = server.ask(f"/api/v1/datasets/{name}/import?filename=rows.jsonl", lines(count).encode())
    assert answer.status == 201, answer.body


def edit(server: Server, base: int, *rows: dict[str, object]) -> None:
    body = json.dumps({"base": base, "put": rows}).encode()
    assert server.ask("/api/v1/datasets/tickets/versions", body, JSON).status == 201


def head(server: Server) -> dict[str, object]:
    return server.ask("/api/v1/datasets/tickets").json["dataset"]["head"]


def row(server: Server, id: str) -> dict[str, object]:
    return server.ask(f"/api/v1/datasets/tickets/versions/head/examples/{id}").json


def test_an_empty_place_tells_the_commands_and_takes_a_file_after_showing_what_is_wrong_with_it(
    server: Server, page: Page, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.jsonl", tmp_path / "my tickets.jsonl"
    bad.write_text(lines(2) + '\n{"imputs": {}}')
    good.write_text(lines(40))
    page.goto("/datasets")
    expect(page.get_by_text("boxscore datasets import tickets tickets.jsonl")).to_be_visible()

    page.set_input_files("input[type=file]", bad)
    expect(page.get_by_text("line 3, field 'imputs'")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.keyboard.press("Escape")
    page.set_input_files("input[type=file]", good)
    expect(page.get_by_text("40 rows: 40 come")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()

    expect(page).to_have_url(re.compile(r"/datasets/my-tickets"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "40 examples in 3 slices; at this size a difference of"
    )


def test_a_row_is_edited_by_keyboard_alone_and_the_edit_undone(server: Server, page: Page) -> None:
    put(server)
    before = head(server)["version"]
    page.goto("/datasets/tickets")
    expect(page.get_by_text("question 3", exact=True)).to_be_visible()

    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("row=e1"))
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("another question")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Not saved: 1 changed.")).to_be_visible()
    assert head(server)["number"] == 1
    page.keyboard.press("Shift+S")

    expect(page.get_by_text("Version 2 of tickets is made")).to_be_visible()
    assert row(server, "e1")["inputs"] == {"q": "another question"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Version 3 of tickets is made")).to_be_visible()
    assert head(server)["version"] == before


def test_changes_wait_over_a_reload_and_can_be_let_go(server: Server, page: Page) -> None:
    put(server)
    page.goto("/datasets/tickets?row=e3")
    expect(page.get_by_label("Row e3")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_text("Not saved: 1 removed.")).to_be_visible()

    page.reload()
    expect(page.get_by_text("Not saved: 1 removed.")).to_be_visible()
    page.get_by_role("button", name="Discard").click()

    expect(page.get_by_text("Not saved")).to_have_count(0)
    assert head(server)["number"] == 1


def test_of_two_editors_the_second_sees_what_changed_and_loses_nothing(
    server: Server, page: Page, watch: Watch
) -> None:
    watch.allow("409")
    put(server)
    page.goto("/datasets/tickets?row=e3")
    expect(page.get_by_label("Row e3")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_text("Not saved: 1 removed.")).to_be_visible()
    edit(server, 1, {"id": "e7", "inputs": {"q": "theirs"}})

    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("Somebody saved version 2 meanwhile.")).to_be_visible()
    expect(page.get_by_text("in none of yours")).to_be_visible()
    page.get_by_role("button", name="Save mine on top, as version 3").click()

    expect(page.get_by_text("Version 3 of tickets is made: 39 examples.")).to_be_visible()
    assert row(server, "e7")["inputs"] == {"q": "theirs"}
    assert server.ask("/api/v1/datasets/tickets/versions/head/examples/e3").status == 404


def test_versions_show_what_parts_them_word_by_word_and_older_ones_come_back(server: Server, page: Page) -> None:
    put(server)
    edit(server, 1, {"id": "e0", "inputs": {"q": f"question nil {HOSTILE}"}, "reference": "0", "slices": {"part": "0"}})
    page.goto("/datasets/tickets?tab=versions")
    page.get_by_role("link", name="Diff").click()

    expect(page.get_by_role("heading", name="From version 1 to 2: 1 changed")).to_be_visible()
    expect(page.locator("del")).to_have_text("0")
    expect(page.locator("ins")).to_contain_text("nil <script>")
    page.get_by_role("button", name="Bring back").click()

    expect(page.get_by_text("Version 3 of tickets is made")).to_be_visible()
    assert row(server, "e0")["inputs"] == {"q": "question 0"}


def test_rows_are_found_and_ten_thousand_of_them_are_a_few_in_the_page(server: Server, page: Page) -> None:
    put(server, count=10_000)
    page.goto("/datasets/tickets")
    expect(page.get_by_role("heading", level=1)).to_contain_text("10,000 examples")
    expect(page.get_by_text("question 12", exact=True)).to_be_visible()
    assert page.locator("tbody tr").count() < 100

    page.get_by_label("Words in the rows").fill("question 9876")
    expect(page.get_by_text("question 9876", exact=True)).to_be_visible()
    page.get_by_label("Slice part").select_option("1")

    expect(page.get_by_text("No row holds that.")).to_be_visible()
    assert "where=slices.part%3D1" in page.url


def test_on_a_small_screen_a_row_takes_the_place_of_the_list(server: Server, tab: Callable[..., Page]) -> None:
    put(server)
    page = tab(server, viewport={"width": 390, "height": 844})
    page.goto("/datasets/tickets")
    page.get_by_text("question 2", exact=True).click()

    expect(page.get_by_label("Row e2")).to_be_visible()
    expect(page.get_by_text("question 3", exact=True)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Close the row").click()
    expect(page.get_by_text("question 3", exact=True)).to_be_visible()
