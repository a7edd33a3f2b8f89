"""Examples in the documentation: found by their marks, run as they stand.

A fenced block is an example when an HTML comment with one of these marks stands right above it:

    <!-- run -->                 run it; it must leave with exit code 0
    <!-- run: exit=1 -->         run it; it must leave with this exit code
    <!-- run: heavy -->          as `run`, and only in tests/acceptance (a comma joins: `run: heavy, exit=3`)
    <!-- file: NAME -->          the block is the content of the file NAME
    <!-- output -->              what the example before it prints; `...` stands for any text, on a line of its own for
                                 any lines

All examples of one page share one empty folder and run from top to bottom. A page with a heavy example runs whole in
tests/acceptance, and up to its first heavy example elsewhere. Python blocks run in an interpreter of their own, bash
blocks in `bash -e`, with the `boxscore` of this environment on the PATH and without BOXSCORE_* variables of the caller.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 300
"""For one example: only so that one that hangs does not hang the tests."""

_BLOCK = re.compile(
    r"^<!-- (?P<mark>run|file|output)(?:: (?P<rest>[^\n]*?))? -->\n+```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """One marked block. `line` is where it begins, from 1."""

    page: Path
    line: int
    mark: str
    language: str
    text: str
    name: str = ""
    exit_code: int = 0
    heavy: bool = False

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}, line {self.line}"


def pages() -> list[Path]:
    """Every page that may hold examples."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(page: Path) -> Iterator[Example]:
    """The marked blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        words = [word.strip() for word in (found["rest"] or "").split(",") if word.strip()]
        exit_code = next((int(word.removeprefix("exit=")) for word in words if word.startswith("exit=")), 0)
        yield Example(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            mark=found["mark"],
            language=found["language"],
            text=found["text"],
            name=words[0] if found["mark"] == "file" and words else "",
            exit_code=exit_code,
            heavy="heavy" in words,
        )


def run_page(page: Path, folder: Path, *, heavy: bool) -> int:
    """Run a page's examples in `folder`; the number that ran. A failure is an AssertionError that names the line."""
    ran, printed = 0, ""
    for example in examples(page):
        if example.heavy and not heavy:
            break
        if example.mark == "file":
            path = folder / example.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.text, encoding="utf-8")
        elif example.mark == "output":
            _compare(example, printed)
        else:
            printed = _run(example, folder)
            ran += 1
    return ran


def _run(example: Example, folder: Path) -> str:
    commands = {"python": [sys.executable, "-c", example.text], "bash": ["bash", "-e", "-c", example.text]}
    assert example.language in commands, f"{example.where}: only python and bash can be run, not {example.language!r}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BOXSCORE_NO_BROWSER": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",  # traces of examples reach no server that happens to run
        "TMPDIR": str(folder),  # and wait for one in vain
        "COLUMNS": "80",
    }
    done = subprocess.run(
        commands[example.language],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == example.exit_code, (
        f"{example.where}: exit code {done.returncode}, and {example.exit_code} was promised\n"
        f"{done.stdout}{done.stderr}"
    )
    return done.stdout


def _compare(example: Example, printed: str) -> None:
    """The promised lines are the printed ones, in order."""
    pattern = "".join(map(_line, example.text.splitlines()))
    assert re.fullmatch(pattern + r"\s*", printed.lstrip("\n").rstrip("\n") + "\n"), (
        f"{example.where}: the example before it prints something else:\n{printed}"
    )


def _line(line: str) -> str:
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*?"
    return r"[^\n]*".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n"
