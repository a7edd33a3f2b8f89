"""Render the pictures of the docs that show the web page: `python tools/render_page_images.py [NAME…] [--out FOLDER]`.

Serves the demo's home with traces of its support desk, and an empty one, and takes their screens in Chromium, light and
dark, as `page-NAME-THEME.png`. The page has to be built (`python tools/build_web.py`).
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

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
    from browser.furnished import answer_tickets, furnish, screens
    from serving import start

    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium is installed: install the package chromium and run again")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, empty = start(furnish(Path(folder) / "home")), start(Path(folder) / "empty")
        try:
            answer_tickets(server, TICKETS)
            addresses = {name: server.url + path for name, path in screens(server) if name not in TO_COME}
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


def take(page: Page, address: str, out: Path) -> None:
    page.goto(address)
    page.locator("h1").first.wait_for()
    page.wait_for_timeout(1500)  # streams stay open, so there is no quiet network to wait for
    page.screenshot(path=out)
    print(out)


if __name__ == "__main__":
    main()
