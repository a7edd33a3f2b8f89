"""Every screen, in both themes and on a phone, against axe's rules; and that nothing of it is wider than a phone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.furnished import answer_tickets, furnish, screens
from serving import Server

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
Tab = Callable[..., Page]


@pytest.fixture
def server(browser: object, tmp_path: Path, serve: Callable[..., Server]) -> Server:
    furnish(tmp_path / "home")
    server = serve("home")
    answer_tickets(server)
    return server


def test_no_screen_keeps_somebody_out_and_none_is_wider_than_a_phone(server: Server, tab: Tab) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: `python tools/build_web.py` brings it")
    rules = AXE.read_text(encoding="utf-8")
    page = tab(server)
    wrong: list[str] = []
    for name, address in screens(server):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        settle(page, address)
        page.evaluate(rules)
        wrong += [f"{name}: {one}" for one in violations(page)]
        page.emulate_media(color_scheme="dark")
        wrong += [f"{name}, dark: {one}" for one in violations(page, "color-contrast")]
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="light")
        wrong += [f"{name} on a phone: {one}" for one in violations(page)]
        width = page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{name} is {width} pixels wide on a phone"] if width > 390 else []
    assert not wrong, "\n".join(wrong)


def violations(page: Page, *rules: str) -> list[str]:
    """What breaks a rule so that it keeps somebody out."""
    asked = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("asked => axe.run(asked)", asked)["violations"]
    return [told(one) for one in found if one["impact"] in SERIOUS]


SERIOUS = ("serious", "critical")


def settle(page: Page, address: str) -> None:
    """The page with what it asks for there."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_function("!document.querySelector('[aria-busy=true]')")


def told(violation: dict[str, Any]) -> str:
    nodes = [node["target"][0] for node in violation["nodes"][:3]]
    why = violation["nodes"][0]["failureSummary"].splitlines()[1:2]
    return f"{violation['id']}: {violation['help']} {json.dumps(nodes)} {why}"
