"""The web page's files as they are served."""

import asyncio
import gzip
import re
from pathlib import Path
from typing import cast

import pytest

from boxscore.errors import RequestError
from boxscore.server.body import Event, Scope
from boxscore.server.page import FOLDER, POLICY, Page

BUDGET = 350 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Boxscore</title>")
    (tmp_path / "assets" / "index-AbCd1234.js").write_text("let one = 1;")
    (tmp_path / "assets" / "index-AbCd1234.js.br").write_bytes(b"as brotli")
    (tmp_path / "assets" / "index-AbCd1234.js.gz").write_bytes(b"as gzip")
    (tmp_path / "assets" / "theme.js").write_text("let two = 2;")
    (tmp_path.parent / "secret.txt").write_text("not of the page")
    return tmp_path


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the page answers."""
    told: list[Event] = []

    async def send(event: Event) -> None:
        told.append(event)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": pairs}
    asyncio.run(Page(folder)(cast(Scope, scope), send))
    found = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], found, told[1]["body"]


@pytest.mark.parametrize("path", ["/", "/traces", "/traces/7c1e", "/datasets/a.csv", "/settings/keys"])
def test_every_address_of_a_page_gets_the_one_page(folder: Path, path: str) -> None:
    status, headers, body = ask(folder, path, accept="text/html,*/*;q=0.8")

    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith(b"<!doctype html>")
    assert headers["cache-control"] == "no-cache"


def test_who_does_not_look_at_pages_is_told_that_there_is_nothing(folder: Path) -> None:
    with pytest.raises(RequestError, match="there is nothing at /tarces"):
        ask(folder, "/tarces", accept="application/json")


@pytest.mark.parametrize("path", ["/assets/../index.html", "/assets/../../secret.txt", "/assets/", "/assets/x.js"])
def test_a_path_that_is_no_file_of_the_bundle_is_not_looked_up(folder: Path, path: str) -> None:
    with pytest.raises(RequestError, match="there is nothing at"):
        ask(folder, path, accept="text/html")


def test_only_reading_is_allowed(folder: Path) -> None:
    with pytest.raises(RequestError, match="cannot be asked by POST"):
        ask(folder, "/", "POST", accept="text/html")


def test_a_file_with_its_hash_in_its_name_is_kept_for_good_and_the_others_are_asked_for(folder: Path) -> None:
    assert ask(folder, "/assets/index-AbCd1234.js")[1]["cache-control"] == "public, max-age=31536000, immutable"
    assert ask(folder, "/assets/theme.js")[1]["cache-control"] == "no-cache"


def test_a_file_comes_as_the_browser_can_unpack_it(folder: Path) -> None:
    found = {how: ask(folder, "/assets/index-AbCd1234.js", accept_encoding=how) for how in ("gzip, br", "gzip", "")}

    assert [body for _, _, body in found.values()] == [b"as brotli", b"as gzip", b"let one = 1;"]
    assert [headers.get("content-encoding") for _, headers, _ in found.values()] == ["br", "gzip", None]
    assert all(headers["vary"] == "accept-encoding" for _, headers, _ in found.values())


def test_what_did_not_change_is_not_sent_again(folder: Path) -> None:
    _, headers, _ = ask(folder, "/")
    status, _, body = ask(folder, "/", if_none_match=headers["etag"])

    assert (status, body) == (304, b"")


def test_asking_for_the_head_gives_the_length_alone(folder: Path) -> None:
    status, headers, body = ask(folder, "/", "HEAD")

    assert (status, headers["content-length"], body) == (200, "38", b"")


def test_every_file_says_what_the_page_may_do(folder: Path) -> None:
    for path in ("/", "/assets/theme.js"):
        _, headers, _ = ask(folder, path)
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == "same-origin"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    for directive in POLICY.split("; "):
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "blob:", "https:"} & set(directive.split())
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_without_a_bundle_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    status, _, body = ask(tmp_path, "/")

    assert status == 503
    assert b"make setup" in body


def test_the_first_page_needs_less_than_350_kilobytes_of_script() -> None:
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the web page is not built: `python tools/build_web.py` builds it")
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    # what index.html names, and what the page at / fetches at once
    named = re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', page)
    entry = next(name for name in named if "index-" in name)
    home = re.findall(r"assets/(?:Home|Charts|Section|Mark|Twin|Values)-[\w-]{8}\.js", (FOLDER / entry).read_text())
    scripts = {*named, *home}

    assert len(scripts) > 1
    assert sum(len(gzip.compress((FOLDER / name).read_bytes())) for name in scripts) < BUDGET
