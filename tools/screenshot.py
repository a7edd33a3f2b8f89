"""Pictures of HTML files with a headless Chromium, driven over its debugging protocol.

    python tools/screenshot.py REPORT.html OUT.png [--width 1200] [--theme dark]

Says what the page loaded from outside, what its policy refused, and whether it scrolls sideways.
"""

import argparse
import asyncio
import base64
import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0", "--force-color-profile=srgb",
]  # fmt: skip


@dataclass
class Shot:
    """One picture: which page, how wide in CSS pixels, which theme; `start` and `until` are CSS selectors of
    elements: the picture begins at the top of the one and ends above the other; None takes the whole page."""

    page: Path
    out: Path
    width: int = 1200
    theme: str = "light"
    until: str | None = None
    start: str | None = None
    complaints: list[str] = field(default_factory=list)


async def shoot(shots: list[Shot]) -> None:
    """Take the pictures, one browser for all of them."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no Chromium is installed: install the package chromium and run again")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its children may still write
        process = await asyncio.create_subprocess_exec(
            browser, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                for shot in shots:
                    await _take(session, port, shot)
        finally:
            process.terminate()
            await process.wait()


async def _port(path: Path) -> int:
    for _ in range(300):
        if path.exists() and (lines := path.read_text().splitlines()):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise SystemExit("the browser did not start within 30 seconds")


async def _take(session: aiohttp.ClientSession, port: int, shot: Shot) -> None:
    async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
        target = await answer.json()
    async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
        numbers = itertools.count(1)
        events: list[dict[str, Any]] = []

        async def call(method: str, **params: object) -> dict[str, Any]:
            number = next(numbers)
            await socket.send_json({"id": number, "method": method, "params": params})
            while True:
                message = await socket.receive_json()
                if message.get("id") == number:
                    return message.get("result", {})
                events.append(message)

        for domain in ("Page", "Network", "Log", "Runtime"):
            await call(f"{domain}.enable")
        await call(
            "Emulation.setDeviceMetricsOverride", width=shot.width, height=300, deviceScaleFactor=1, mobile=False
        )
        await call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": shot.theme}])
        await call("Page.navigate", url=shot.page.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in events):
            events.append(await socket.receive_json())
        size = (await call("Page.getLayoutMetrics"))["cssContentSize"]
        edges: list[float] = [0, size["height"]]
        for at, selector in enumerate((shot.start, shot.until)):
            if selector is not None:
                where = f"document.querySelector({selector!r}).getBoundingClientRect().top"
                edges[at] = (await call("Runtime.evaluate", expression=where))["result"]["value"]
        clip = {"x": 0, "y": edges[0], "width": shot.width, "height": edges[1] - edges[0], "scale": 1}
        picture = await call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        shot.out.parent.mkdir(parents=True, exist_ok=True)
        shot.out.write_bytes(base64.b64decode(picture["data"]))
        if size["width"] > shot.width:
            shot.complaints.append(f"scrolls sideways: {size['width']} wide at {shot.width}")
        for event in events:
            if event.get("method") == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if url != shot.page.resolve().as_uri():
                    shot.complaints.append(f"asked for {url[:120]}")
            elif event.get("method") == "Log.entryAdded":
                shot.complaints.append(event["params"]["entry"]["text"][:200])
            elif event.get("method") == "Runtime.exceptionThrown":
                shot.complaints.append(event["params"]["exceptionDetails"]["text"])
    async with session.get(f"http://127.0.0.1:{port}/json/close/{target['id']}"):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--until", metavar="SELECTOR", help="end above this element")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    given = parser.parse_args()
    shot = Shot(given.page, given.out, given.width, given.theme, given.until)
    asyncio.run(shoot([shot]))
    print(f"{shot.out}: {', '.join(shot.complaints) or 'nothing from outside, no sideways scroll'}")


if __name__ == "__main__":
    main()
