"""What is around every page, and the pages that are about the server itself."""

import json
import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import Watch
from serving import Server

PLACES = ["Home", "Prompts", "Datasets", "Experiments", "Releases", "Traces", "Review", "Costs", "Settings"]


def spend(server: Server, model: str, *, step: str, tokens: int, calls: int = 1) -> None:
    """Calls of that model a minute ago, each with so many tokens in and out."""
    began = time.time_ns() - 60 * 10**9
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    told = [
        {"key": key, "value": {"stringValue": value}} for key, value in (attributes | {"boxscore.step": step}).items()
    ]
    told += [{"key": f"gen_ai.usage.{way}_tokens", "value": {"intValue": str(tokens)}} for way in ("input", "output")]
    spans = [
        {
            "traceId": f"{hash((model, step, number)) % 2**120 + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": step,
            "startTimeUnixNano": str(began + number),
            "endTimeUnixNano": str(began + number + 10**9),
            "attributes": told,
        }
        for number in range(calls)
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    assert server.send(body, {"content-type": "application/json"}).status == 200


def test_the_nine_places_are_there_in_their_order(page: Page) -> None:
    page.goto("/")

    expect(page.get_by_role("navigation", name="Places").get_by_role("listitem")).to_have_text(PLACES)


@pytest.mark.parametrize("place", ["prompts", "releases", "review"])
def test_a_place_to_come_says_what_it_will_hold_and_which_command_does_it_today(page: Page, place: str) -> None:
    page.goto(f"/{place}")

    expect(page.get_by_text("This place is not built yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="What it will hold")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("boxscore ")


def test_a_chosen_theme_holds_and_is_there_before_the_first_paint(page: Page) -> None:
    page.goto("/")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Switch light and dark").click()

    page.reload(wait_until="commit")
    page.wait_for_function("document.body !== null")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != paper


def test_keys_go_to_places_and_are_all_told(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url("/costs")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nothing was spent")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Settings")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")

    expect(page.get_by_role("combobox", name="Search everything")).to_be_focused()


def test_the_search_finds_places_and_names(server: Server, page: Page) -> None:
    spend(server, "gpt-4.1-mini", step="summarise", tokens=10)
    page.goto("/")
    box = page.get_by_role("combobox", name="Search everything")
    box.fill("settings")
    expect(page.get_by_role("option").first).to_contain_text("Settings")

    box.fill("summarise")
    expect(page.get_by_role("option").first).to_contain_text("1 span")
    box.press("Enter")

    expect(page).to_have_url(re.compile("/traces.*filter=name%3Dsummarise"))


def test_costs_are_those_of_the_price_book_and_open_their_calls(server: Server, page: Page) -> None:
    spend(server, "gpt-4.1-mini", step="classify", tokens=1_000_000, calls=2)
    spend(server, "o3", step="escalate", tokens=100_000)
    page.goto("/costs?range=24h")

    # 2 × (0.40 + 1.60) and 0.2 + 0.8
    expect(page.get_by_role("heading", level=1)).to_contain_text("Spent $5.00 in the last 24 hours")
    rows = page.get_by_role("table", name="Spend by step").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("classify")
    expect(rows.nth(1)).to_contain_text("$4.00")

    rows.nth(1).get_by_role("link").click()
    expect(page).to_have_url(re.compile("(?=.*filter=step%3Dclassify)(?=.*range=24h)"))


def test_the_same_tokens_are_priced_on_another_model(server: Server, page: Page) -> None:
    spend(server, "gpt-4.1-mini", step="classify", tokens=1_000_000)
    page.goto("/costs?range=30d&with=openai/o3")

    row = page.get_by_role("row", name="openai/o3")
    expect(row).to_contain_text("2 / 8")
    expect(row).to_contain_text("$10.00")
    expect(row).to_contain_text("+$8.00")
    expect(row).to_contain_text("not compared")


def test_an_own_price_is_added_and_taken_out_again(page: Page) -> None:
    page.goto("/settings/prices")
    page.get_by_label("Model", exact=True).fill("acme-large")
    page.get_by_label("$ per M in").fill("3")
    page.get_by_label("out", exact=True).fill("15")
    page.get_by_role("button", name="Add", exact=True).click()

    row = page.get_by_role("table", name="Own prices").get_by_role("row", name="acme-large")
    expect(row).to_contain_text("15")
    row.get_by_role("button", name="Remove").click()

    expect(page.get_by_text("None. A model of your own")).to_be_visible()


def test_a_project_is_made_and_seen_apart(server: Server, page: Page) -> None:
    spend(server, "gpt-4.1-mini", step="classify", tokens=10)
    page.goto("/settings/projects")
    page.get_by_label("Id").fill("other")
    page.get_by_role("button", name="Make a project").click()
    page.get_by_role("link", name="other", exact=True).click()

    expect(page).to_have_url("/?project=other")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nothing has happened yet")


def test_every_write_is_in_the_audit(page: Page) -> None:
    page.goto("/settings/projects")
    page.get_by_label("Id").fill("other")
    page.get_by_role("button", name="Make a project").click()
    expect(page.get_by_role("link", name="other", exact=True)).to_be_visible()

    page.goto("/settings/audit?server=true")

    expect(page.get_by_role("table", name="Audit")).to_contain_text("POST /projects")


def test_an_address_that_is_none_says_so(page: Page) -> None:
    page.goto("/tarces")

    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page.")


def test_a_tab_that_is_open_while_the_page_is_upgraded_loads_it_anew(page: Page, watch: Watch) -> None:
    watch.allow("404", "dynamically imported module", "preload CSS")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    upgraded = False

    def answer(route: Route) -> None:
        nonlocal upgraded
        if route.request.resource_type == "document":
            upgraded = True  # what is loaded from here on names the files of the new build
        if re.search("/assets/(Traces-.*js|traces-.*css)", route.request.url) and not upgraded:
            route.fulfill(status=404)
        else:
            route.continue_()

    page.route("**/*", answer)
    page.get_by_role("link", name="Traces").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("No traces in the last 7 days")
    assert upgraded
