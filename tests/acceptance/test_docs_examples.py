"""The heavy examples of the documentation, and the site as a whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from doc_examples import ROOT, examples, pages, run_page


@pytest.mark.parametrize(
    "path",
    [path for path in pages() if any(example.heavy for example in examples(path))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_heavy_examples_run_as_they_stand(path: Path, tmp_path: Path) -> None:
    assert run_page(path, tmp_path, heavy=True) > 0


def test_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 0, built.stderr
    loaded = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=[\"'](?:https?:)?//[^\"']*")
    foreign = {
        found
        for file in (tmp_path / "site").rglob("*.html")
        for found in loaded.findall(file.read_text(encoding="utf-8"))
        if 'rel="canonical"' not in found
    }
    styles = {
        file.name
        for file in (tmp_path / "site").rglob("*.css")
        if re.search(r"@import|url\([\"']?(?:https?:)?//", file.read_text(encoding="utf-8"))
    }
    assert not foreign
    assert not styles
