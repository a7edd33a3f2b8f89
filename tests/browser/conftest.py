"""A real browser before a real server: `page` is a tab of Chromium at a `boxscore serve` of its own.

What goes wrong unseen fails the test that it happens in: an error in the console, a report of the content policy, a
request to another host.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

import boxscore
from serving import Server, start

BUILT = Path(boxscore.__file__).parent / "server" / "page" / "index.html"
REPORTS = """addEventListener('securitypolicyviolation', report =>
  console.error('content policy: ' + report.violatedDirective + ' ' + report.blockedURI))"""


@dataclass
class Watch:
    """What a tab complains about. `allow` takes patterns of complaints that the test is about."""

    allowed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        self.allowed += patterns

    def look(self, page: Page) -> None:
        page.add_init_script(REPORTS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost", None) or urlsplit(request.url).scheme == "data":
            self.complaints.append(f"a request to {request.url[:200]}")

    def check(self) -> None:
        wrong = [one for one in self.complaints if not any(re.search(pattern, one) for pattern in self.allowed)]
        assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")  # while it is open the thread has a running event loop, and other tests need their own
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not here: `apt-get install chromium` brings it")
    if not BUILT.is_file():
        pytest.skip("the web page is not built: `python tools/build_web.py` builds it")
    with sync_playwright() as playwright:
        # in a container /dev/shm is small, and the sandbox needs more rights than a test should have
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        found.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts `boxscore serve` on a home in the test's folder; all that were started end with the test."""
    started: list[Server] = []

    def begin(name: str = "home", *options: str) -> Server:
        started.append(start(tmp_path / name, *options))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def server(browser: Browser, serve: Callable[..., Server]) -> Server:
    """A server of the test's own, empty."""
    return serve()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tab(browser: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Opens tabs with settings of a context, as in `tab(server, color_scheme="dark", viewport={…})`."""
    contexts = []

    def opened(server: Server, **settings: object) -> Page:
        context = browser.new_context(base_url=server.url, **{"viewport": {"width": 1440, "height": 900}, **settings})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        watch.look(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    watch.check()


@pytest.fixture
def page(server: Server, tab: Callable[..., Page]) -> Page:
    """A tab of 1440 by 900 at the server."""
    return tab(server)
