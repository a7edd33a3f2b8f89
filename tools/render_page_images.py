"""Render the pictures of the docs that show the web page: `python tools/render_page_images.py [NAME…] [--out FOLDER]`.

Serves the demo's home with traces of its support desk and of one that pays for its models, and an empty one, and takes
their screens in Chromium, light and dark, as `page-NAME-THEME.png`. The page has to be built
(`python tools/build_web.py`).
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from serving import Server

ROOT = Path(__file__).resolve().parent.parent
SIZE = {"width": 1280, "height": 800}
EMPTY = {f"{place}-empty": f"/{place}" for place in ("traces", "datasets", "experiments", "costs")}
EMPTY["home-empty"] = "/"
TO_COME = {"prompts", "releases", "review"}
TICKETS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="screens to take; all where none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from browser.furnished import PROJECT, answer_tickets, furnish, screens
    from serving import start

    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium is installed: install the package chromium and run again")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, empty = start(furnish(Path(folder) / "home")), start(Path(folder) / "empty")
        try:
            spend(server, PROJECT)
            answer_tickets(server, TICKETS)
            addresses = {name: server.url + path for name, path in screens(server) if name not in TO_COME}
            addresses["costs"] = addresses["costs"].replace("&range=1h", "")
            addresses |= {name: empty.url + path for name, path in EMPTY.items()}
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for theme in ("light", "dark"):
                page = browser.new_context(viewport=SIZE, color_scheme=theme, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
                for name in arguments.names or addresses:
                    take(page, addresses[name], arguments.out / f"page-{name}-{theme}.png")
            browser.close()
        finally:
            server.stop()
            empty.stop()


def spend(server: "Server", project: str) -> None:
    """Two weeks of a desk whose models have prices; a release makes its prompt shorter, one ticket in ten escalates."""
    chance = random.Random(7)
    day_ns = 86_400 * 10**9
    scores: list[dict[str, object]] = []
    spans: dict[str, list[dict[str, object]]] = {"1.4": [], "1.5": []}
    for number in range(280):
        age = number // 20
        release = "1.5" if age < 6 else "1.4"
        began = time.time_ns() - 7200 * 10**9 - age * day_ns - chance.randrange(day_ns // 2)
        trace, root = f"{chance.getrandbits(128):032x}", f"{chance.getrandbits(64):016x}"
        calls = [("classify", "openai", "gpt-4.1-mini", 420, 12, 0.6)]
        calls += [("draft", "anthropic", "claude-sonnet-4", 2200 if release == "1.5" else 3400, 380, 2.4)]
        calls += [("escalate", "openai", "o3", 3300, 1100, 4.0)] if number % 10 == 0 else []
        at = began
        for step, provider, model, tokens_in, tokens_out, seconds in calls:
            end = at + int(seconds * chance.lognormvariate(0, 0.3) * 1e9)
            said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model}
            counts = {"gen_ai.usage.input_tokens": tokens_in, "gen_ai.usage.output_tokens": tokens_out}
            spans[release].append(told(trace, step, at, end, root, said | {"boxscore.step": step}, counts))
            at = end
        failed = number % 41 == 0
        spans[release].append(told(trace, "answer_ticket", began, at, "", {}, {}, root, failed=failed))
        accepted = chance.random() < (0.9 if release == "1.5" else 0.8)
        scores.append(
            {"id": trace, "trace_id": trace, "name": "accepted", "value": accepted, "source": "user", "at_ns": at}
        )
    headers = {"content-type": "application/json", "boxscore-project": project}
    for release, found in spans.items():
        facts = {
            "service.name": "support-desk",
            "service.version": release,
            "deployment.environment.name": "production",
        }
        group = {"resource": {"attributes": attributes(facts, {})}, "scopeSpans": [{"spans": found}]}
        server.send(json.dumps({"resourceSpans": [group]}).encode(), headers)
    server.ask("/api/v1/scores", json.dumps(scores).encode(), headers)


def told(trace: str, name: str, at: int, end: int, parent: str, texts: dict[str, str], counts: dict[str, int],
         id: str | None = None, *, failed: bool = False) -> dict[str, object]:  # fmt: skip
    span_id = id or f"{hash((trace, name)) % 2**63 + 1:016x}"
    span: dict[str, object] = {"traceId": trace, "spanId": span_id, "parentSpanId": parent, "name": name}
    span |= {"startTimeUnixNano": str(at), "endTimeUnixNano": str(end), "attributes": attributes(texts, counts)}
    return span | ({"status": {"code": 2, "message": "overloaded"}} if failed else {})


def attributes(texts: dict[str, str], counts: dict[str, int]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()] + [
        {"key": key, "value": {"intValue": str(count)}} for key, count in counts.items()
    ]


def take(page: Page, address: str, out: Path) -> None:
    page.goto(address)
    page.locator("h1").first.wait_for()
    page.wait_for_timeout(1500)  # streams stay open, so there is no quiet network to wait for
    page.screenshot(path=out)
    print(out)


if __name__ == "__main__":
    main()
