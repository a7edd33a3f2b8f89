"""Ten screens as a screen reader tells them: what changes on one is seen in review.

Rows, words and results are made here or of a fixed seed; what differs from run to run (times, durations, ids, the port)
is masked, and of what a chart draws over time its name is kept.
"""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from syrupy.assertion import SnapshotAssertion

from boxscore.experiments.verdict import Guard, Rule
from browser.conftest import Watch
from browser.furnished import answer_tickets
from browser.test_experiments import compared
from serving import JSON, Server, start

SCREENS = {
    "home": "/",
    "home, empty": "/?project=empty",
    "traces": "/traces?range=1h",
    "trace": "/traces/{trace}",
    "datasets": "/datasets",
    "dataset": "/datasets/tickets",
    "experiments": "/experiments",
    "box score": "/experiments/{comparison}",
    "costs": "/costs?range=1h",
    "keys": "/settings/keys",
}
MASKS = (
    (r"(?<!\d)1\d{18}(?!\d)|\b\d{8}T\d{12}\b", "TIME"),
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}(?:[0-9a-f]{4})?\b", "ID"),
    (r"(?m)\d[\d.]* % of the time.*$", "SHARES"),
    (r"\d{4}-\d\d-\d\dT\d\d(?:(?::|%3A)\d\d){1,2}(?:\.\d+)?(?:Z|\+\d\d:\d\d)?", "TIME"),
    (r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2} [A-Z][a-z]{2} \d{4}\b|\b\d{1,2} [A-Z][a-z]{2}\b", "DAY"),
    (r"\b\d\d:\d\d(?::\d\d)?\b", "CLOCK"),
    (r"(?<![\w.])\d[\d,.]* (?:µs|ms|s|min|h)\b|\bnow\b(?!\")", "TIME"),
    (r"Live, TIME behind|Connecting", "Live"),
    (r"by (?:\d+ )?(?:minute|hour)s?\b|by \d[\d.]* (?:s|min)\b", "by STEP"),
)


@pytest.fixture(scope="module")
def screens(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with one of each, and the addresses of the screens."""
    home = tmp_path_factory.mktemp("screens") / "home"
    rule = Rule(metric="exact", margin=0.02, guards=(Guard(metric="cost_per_1k_usd", margin=5.0),))
    comparison = compared(home, rule)
    server = start(home)

    def put(path: str, body: object) -> None:
        assert server.ask(path, json.dumps(body).encode(), JSON).status < 300

    rows = [{"id": f"t-{n}", "inputs": {"ticket": f"order {n}"}, "reference": "refund"} for n in range(3)]
    put("/api/v1/projects", {"id": "empty", "name": "empty"})
    put("/api/v1/datasets", {"name": "tickets"})
    put("/api/v1/datasets/tickets/versions", {"base": 0, "put": rows})
    answer_tickets(server, 8, project="default")
    assert server.ask("/api/v1/series?start_ns=0&end_ns=60000000000&step_ns=60000000000&wait=10").status == 200
    trace = server.ask("/api/v1/traces?limit=1").json["items"][0]["entry"]["trace_id"]
    yield server, {name: path.format(trace=trace, comparison=comparison) for name, path in SCREENS.items()}
    server.stop()


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_told_as_before(
    name: str, screens: tuple[Server, dict[str, str]], browser: Browser, snapshot: SnapshotAssertion
) -> None:
    server, addresses = screens
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    try:
        page, watch = context.new_page(), Watch()
        watch.look(page)
        page.goto(addresses[name])
        assert told(page, whole=name == "home") == snapshot
        watch.check()
    finally:
        context.close()


def told(page: Page, *, whole: bool) -> str:
    """What the page tells once nothing more comes: its main part or, with the frame, the whole."""
    page.get_by_role("heading", level=1).wait_for()
    place = page.locator("body" if whole else "main")
    before = ""
    for _ in range(40):
        page.wait_for_timeout(250)
        page.evaluate(
            "for (const one of document.querySelectorAll('svg.chart > *')) one.setAttribute('aria-hidden', 'true')"
        )
        found = masked(place.aria_snapshot())
        if found == before:
            return found
        before = found
    return before


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text
